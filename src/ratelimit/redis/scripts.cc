#include "ratelimit/redis/scripts.h"

#include <fmt/format.h>

#include "ratelimit/limits.h"

namespace deeppool::ratelimit {
namespace {

constexpr const char* kFleetKey = "deeppool:{limits}:fleet";

// An instance's field is "i:<name>" = "<last confirmed answer>:<taken in at>:<last seen>", in ms.
// An epoch is what one life of the data remembers: another run of the server, or a hash that is
// gone, begins a new one.
constexpr const char* kPrelude = R"lua(
local function now_ms()
  if ARGV[1] ~= '' then return tonumber(ARGV[1]) end
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local function load_fleet()
  local flat, fields, list = redis.call('HGETALL', KEYS[1]), {}, {}
  for i = 1, #flat, 2 do
    fields[flat[i]] = flat[i + 1]
    if string.sub(flat[i], 1, 2) == 'i:' then
      local last, joined, seen = string.match(flat[i + 1], '^(%-?%d+):(%-?%d+):(%-?%d+)$')
      list[#list + 1] = {name = string.sub(flat[i], 3), last = tonumber(last),
                         joined = tonumber(joined), seen = tonumber(seen)}
    end
  end
  return fields, list
end
)lua";

// KEYS: fleet. ARGV: test time, membership ms, settled ms, forgotten ms, name, kind, confirmed,
// known instances.
constexpr const char* kBeatScript = R"lua(
local membership, settled, forgotten = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local name, kind, confirmed, known = ARGV[5], ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])
local fields, list = load_fleet()
local run = ''
local ok, info = pcall(redis.call, 'INFO', 'server')
if ok and type(info) == 'string' then run = string.match(info, 'run_id:(%x+)') or '' end
local now = math.max(now_ms(), tonumber(fields.now or '0'))
if not fields.epoch or fields.run ~= run then
  redis.call('DEL', KEYS[1])
  now = now_ms()
  fields = {epoch = run .. ':' .. now .. ':' .. name, run = run, born = now, expected = known}
  redis.call('HSET', KEYS[1], 'epoch', fields.epoch, 'run', run, 'born', now, 'expected', known)
  list = {}
end
redis.call('HSET', KEYS[1], 'now', now)
local me, count, rank = nil, 1, 0
for _, one in ipairs(list) do
  if one.name == name then
    me = one
  elseif now - one.seen > forgotten then
    redis.call('HDEL', KEYS[1], 'i:' .. one.name)
  else
    count = count + 1
    if one.name < name then rank = rank + 1 end
  end
end
local standing = 1
me = me or {last = 0, joined = 0}
if kind == 'join' or kind == 'enter' then
  if now - confirmed <= membership then
    me.last, me.joined = confirmed, now
    if kind == 'enter' then me.joined = 0 end
  else
    standing = 0
  end
elseif kind == 'stay' then
  if now - me.last <= membership then
    me.last = math.max(me.last, confirmed)
  else
    standing = 0
  end
end
redis.call('HSET', KEYS[1], 'i:' .. name, me.last .. ':' .. me.joined .. ':' .. now)
local age = now - tonumber(fields.born)
if age < forgotten then count = math.max(count, tonumber(fields.expected)) end
local young = 0
if age < settled and tonumber(fields.expected) > 0 then young = 1 end
return {fields.epoch, now, count, rank, young, standing}
)lua";

// KEYS: fleet, requests ring, tokens ring. ARGV: test time, membership ms, settled ms, ring
// seconds, name, epoch, lasts ms; then for each ring: limit, least, want, reserve, moves, and
// three per move.
constexpr const char* kLeaseScript = R"lua(
local membership, settled, ring = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local name, epoch, lasts = ARGV[5], ARGV[6], tonumber(ARGV[7])
local fields, list = load_fleet()
if fields.epoch ~= epoch then return {-1} end
local now = math.max(now_ms(), tonumber(fields.now))
local me, away = nil, {}
for _, one in ipairs(list) do
  if one.name == name then me = one
  elseif now - one.last > membership then one.joined = -1; away[#away + 1] = one
  elseif now - one.joined < settled then away[#away + 1] = one end
end
if not me or now - me.last > membership then return {-2} end
local second, at = math.floor(now / 1000), 8

local function load_ring(key)
  local r = {key = key, limit = tonumber(ARGV[at]), least = tonumber(ARGV[at + 1]),
             want = tonumber(ARGV[at + 2]), reserve = tonumber(ARGV[at + 3]), sum = 0, slots = {},
             told = {}}
  local flat = redis.call('HGETALL', key)
  for i = 1, #flat, 2 do
    local s = tonumber(flat[i])
    if not s then
      r.told[flat[i]] = tonumber(flat[i + 1])
    elseif s + ring <= second then
      redis.call('HDEL', key, flat[i])
    else
      r.slots[s] = tonumber(flat[i + 1])
      r.sum = r.sum + r.slots[s]
    end
  end
  local moves = tonumber(ARGV[at + 4])
  at = at + 5
  for _ = 1, moves do
    local kind, when, amount = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
    at = at + 3
    local s = when
    if kind == 'l' then s = math.floor((now - when) / 1000) end
    if kind == 'e' then s = math.floor((now - when) / 1000) - 1 end
    if s + ring > second then
      redis.call('HINCRBY', key, string.format('%d', s), string.format('%d', amount))
      r.slots[s] = (r.slots[s] or 0) + amount
      r.sum = r.sum + amount
    end
  end
  if now - me.joined < settled then redis.call('HSET', key, 'j:' .. name, me.joined) end
  -- What others may do on their own, unknown to us, is theirs.
  local part, aside = math.ceil(r.limit / math.max(1, #list)), 0
  for _, one in ipairs(away) do
    if one.joined < 0 or r.told['j:' .. one.name] ~= one.joined then aside = aside + part end
  end
  r.aside = aside
  r.free = math.max(0, r.limit - r.sum - aside)
  return r
end

local function free_in(r)
  local order, lent, ends = {}, 0, 0
  for s in pairs(r.slots) do
    order[#order + 1] = s
    if s > second then lent, ends = lent + r.slots[s], math.max(ends, s) end
  end
  -- What is lent comes back, as far as it is not used, when its lease ends.
  if lent > 0 and r.sum - lent + r.aside + r.least <= r.limit then
    return (ends + 1) * 1000 - now
  end
  table.sort(order)
  local sum = r.sum
  for _, s in ipairs(order) do
    sum = sum - r.slots[s]
    if sum + r.aside + r.least <= r.limit then return (s + ring) * 1000 - now end
  end
  return 1000
end

local function grant(r, last)
  local amount = r.want
  if r.reserve > 0 then amount = math.max(amount, math.floor(r.free / (r.reserve * #list))) end
  amount = math.min(amount, r.free)
  if amount > 0 then
    redis.call('HINCRBY', r.key, string.format('%d', last), string.format('%d', amount))
    r.sum = r.sum + amount
  end
  return amount
end

local requests, tokens = load_ring(KEYS[2]), load_ring(KEYS[3])
local last = math.floor((now + lasts) / 1000)
local wait, got_requests, got_tokens = 0, 0, 0
for _, r in ipairs({requests, tokens}) do
  if r.want > 0 and r.free < r.least then wait = math.max(wait, free_in(r), 1) end
end
if wait == 0 then
  got_requests, got_tokens = grant(requests, last), grant(tokens, last)
end
for _, r in ipairs({requests, tokens}) do
  redis.call('PEXPIRE', r.key, (ring + 2) * 1000 + lasts + settled)
end
return {now, last, got_requests, got_tokens, requests.sum, tokens.sum, wait}
)lua";

std::string ms(std::chrono::milliseconds duration) {
  return std::to_string(duration.count());
}

std::string time_word(std::optional<int64_t> test_ms) {
  return test_ms ? std::to_string(*test_ms) : "";
}

std::string_view kind_word(Beat::Kind kind) {
  switch (kind) {
    case Beat::Kind::hello:
      return "hello";
    case Beat::Kind::join:
      return "join";
    case Beat::Kind::enter:
      return "enter";
    case Beat::Kind::stay:
      break;
  }
  return "stay";
}

struct Demand {
  int64_t limit = 0;
  int64_t least = 0;
  int64_t want = 0;
};

void add_ring(Command& command, Demand demand, const std::vector<Move>& moves) {
  command.push_back(std::to_string(demand.limit));
  command.push_back(std::to_string(demand.least));
  command.push_back(std::to_string(demand.want));
  // Nothing in reserve of who only reports.
  const bool reserve = demand.want > 0 && demand.limit > kStrictLimit;
  command.push_back(std::to_string(reserve ? kReserveShare : 0));
  command.push_back(std::to_string(moves.size()));
  for (const Move& move : moves) {
    command.emplace_back(move.dated == Move::Dated::second     ? "s"
                         : move.dated == Move::Dated::age_late ? "l"
                                                               : "e");
    command.push_back(std::to_string(move.when));
    command.push_back(std::to_string(move.amount));
  }
}

bool all_numbers(const std::vector<redis::Reply>& items) {
  for (const redis::Reply& item : items) {
    if (item.kind != redis::Reply::Kind::integer) return false;
  }
  return true;
}

}  // namespace

Command beat_command(const Beat& beat, const std::string& instance,
                     std::optional<int64_t> test_ms) {
  return {"EVAL",
          std::string(kPrelude) + kBeatScript,
          "1",
          kFleetKey,
          time_word(test_ms),
          ms(kMembership),
          ms(kSettled),
          ms(kForgotten),
          instance,
          std::string(kind_word(beat.kind)),
          std::to_string(beat.confirmed_ms),
          std::to_string(beat.known_instances)};
}

std::optional<BeatAnswer> read_beat_answer(const redis::Reply& reply) {
  if (reply.kind != redis::Reply::Kind::array || reply.items.size() != 6) return std::nullopt;
  const std::vector<redis::Reply> numbers(reply.items.begin() + 1, reply.items.end());
  if (!all_numbers(numbers)) return std::nullopt;
  BeatAnswer answer;
  answer.epoch = reply.items[0].text;
  answer.now_ms = numbers[0].integer;
  answer.instances = numbers[1].integer;
  answer.rank = numbers[2].integer;
  answer.age = numbers[3].integer != 0 ? BeatAnswer::Age::young : BeatAnswer::Age::mature;
  answer.standing =
      numbers[4].integer != 0 ? BeatAnswer::Standing::member : BeatAnswer::Standing::dropped;
  return answer;
}

Command lease_command(base::ApiKeyId key, const LeaseOrder& order, const std::string& instance,
                      std::optional<int64_t> test_ms) {
  Command command{"EVAL",
                  std::string(kPrelude) + kLeaseScript,
                  "3",
                  kFleetKey,
                  fmt::format("deeppool:{{limits}}:requests:{}", key.value),
                  fmt::format("deeppool:{{limits}}:tokens:{}", key.value),
                  time_word(test_ms),
                  ms(kMembership),
                  ms(kSettled),
                  std::to_string(kRingSeconds),
                  instance,
                  order.epoch ? *order.epoch : "",
                  ms(order.lasts)};
  const int64_t least_requests = order.want_requests > 0 ? 1 : 0;
  add_ring(command, {order.limits.rpm, least_requests, order.want_requests}, order.request_moves);
  add_ring(command, {order.limits.tpm, order.least_tokens, order.want_tokens}, order.token_moves);
  return command;
}

std::optional<LeaseAnswer> read_lease_answer(const redis::Reply& reply) {
  if (reply.kind != redis::Reply::Kind::array || reply.items.size() != 7 ||
      !all_numbers(reply.items)) {
    return std::nullopt;
  }
  const auto at = [&](size_t i) { return reply.items[i].integer; };
  return LeaseAnswer{.redis_ms = at(0),
                     .end_second = at(1),
                     .requests = at(2),
                     .tokens = at(3),
                     .used_requests = at(4),
                     .used_tokens = at(5),
                     .free_in_ms = at(6)};
}

Command leave_command(const std::string& instance) {
  return {"HDEL", kFleetKey, "i:" + instance};
}

}  // namespace deeppool::ratelimit
