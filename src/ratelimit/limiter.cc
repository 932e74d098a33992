#include "ratelimit/limiter.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace deeppool::ratelimit {
namespace {

using std::chrono::milliseconds;

std::string in_words(milliseconds wait) {
  if (wait < milliseconds(1000)) return fmt::format("{}ms", wait.count());
  return fmt::format("{:.3g}s", static_cast<double>(wait.count()) / 1000);
}

milliseconds round_up(base::Duration d) {
  return std::chrono::ceil<milliseconds>(d);
}

Error too_large(int64_t tpm, int64_t tokens) {
  Error never(
      ErrorCode::rate_limited,
      fmt::format(
          "Request too large for this API key on tokens per min (TPM): Limit {}, Requested {}. "
          "It can never be admitted: shorten the input, ask for fewer output tokens "
          "(max_tokens), or raise the key's limit.",
          tpm, tokens));
  never.param = "max_tokens";
  return never;
}

}  // namespace

Permit::Permit(Permit&& other) noexcept
    : limiter_(std::exchange(other.limiter_, nullptr)),
      key_(other.key_),
      second_(other.second_),
      reserved_(other.reserved_),
      snapshot_(other.snapshot_) {}

Permit& Permit::operator=(Permit&& other) noexcept {
  if (this == &other) return *this;
  release();
  limiter_ = std::exchange(other.limiter_, nullptr);
  key_ = other.key_;
  second_ = other.second_;
  reserved_ = other.reserved_;
  snapshot_ = other.snapshot_;
  return *this;
}

void Permit::settle(int64_t actual_tokens) {
  if (limiter_ == nullptr) return;
  const int64_t actual = std::clamp<int64_t>(actual_tokens, 0, kMaxTokens);
  std::exchange(limiter_, nullptr)->correct(key_, second_, reserved_, actual);
}

void Permit::release() {
  settle(0);
}

// The tokens to be counted for a request.
Result<int64_t> Limiter::countable(Limits limits, int64_t estimated_tokens) {
  if (limits.tpm <= 0) return int64_t{0};
  const int64_t tokens = std::clamp<int64_t>(estimated_tokens, 0, kMaxTokens);
  if (tokens > 0 && tokens > limits.tpm) return too_large(limits.tpm, tokens);
  return tokens;
}

Limiter::Entry* Limiter::Shard::find(base::ApiKeyId key) {
  const auto found = entries.find(key);
  return found == entries.end() ? nullptr : &*found->second;
}

Limiter::Entry& Limiter::Shard::find_or_insert(base::ApiKeyId key, Second now) {
  if (const auto found = entries.find(key); found != entries.end()) {
    by_age.splice(by_age.end(), by_age, found->second);
    return *found->second;
  }
  for (int i = 0; i < kReclaimPerInsert && !by_age.empty(); ++i) {
    Entry& oldest = by_age.front();
    oldest.window.advance(now);
    if (!oldest.window.empty()) break;
    entries.erase(oldest.key);
    by_age.pop_front();
  }
  by_age.push_back({key, {}, nullptr});
  entries.emplace(key, std::prev(by_age.end()));
  return by_age.back();
}

Result<Permit> Limiter::admit(base::ApiKeyId key, Limits limits, int64_t estimated_tokens) {
  if (limits.rpm <= 0 && limits.tpm <= 0) return Permit();
  DP_TRY(const int64_t tokens, countable(limits, estimated_tokens));

  Shard& home = shard(key);
  const std::lock_guard lock(home.mutex);
  // Read under the lock: a key's seconds then never go back.
  const base::Instant now = clock_.now();
  const Second second = second_of(now);
  Window& window = home.find_or_insert(key, second).window;
  window.advance(second);
  if (!fits(window, limits, tokens)) return refusal(window, limits, tokens, now);
  return count(key, window, limits, tokens, now);
}

bool Limiter::fits(const Window& window, Limits limits, int64_t tokens) {
  return (limits.rpm <= 0 || window.requests() < limits.rpm) &&
         (limits.tpm <= 0 || window.tokens() <= limits.tpm - tokens);
}

// Counts what was found to fit.
Permit Limiter::count(base::ApiKeyId key, Window& window, Limits limits, int64_t tokens,
                      base::Instant now) {
  Permit permit;
  const Second second = second_of(now);
  window.add(second, 1, tokens);
  permit.snapshot_ = describe(window, limits, now);
  if (limits.tpm > 0) {
    permit.limiter_ = this;
    permit.key_ = key;
    permit.second_ = second;
    permit.reserved_ = tokens;
  }
  return permit;
}

Snapshot Limiter::snapshot(base::ApiKeyId key, Limits limits) {
  Shard& home = shard(key);
  const std::lock_guard lock(home.mutex);
  const base::Instant now = clock_.now();
  Entry* entry = home.find(key);
  if (entry == nullptr) return describe({}, limits, now);
  entry->window.advance(second_of(now));
  return describe(entry->window, limits, now);
}

size_t Limiter::tracked_keys() const {
  size_t count = 0;
  for (const Shard& each : shards_) {
    const std::lock_guard lock(each.mutex);
    count += each.entries.size();
  }
  return count;
}

Limiter::Shard& Limiter::shard(base::ApiKeyId key) {
  // Fibonacci hashing: neighbouring ids must not share a lock, nor equal remainders a bucket.
  const uint64_t mixed = static_cast<uint64_t>(key.value) * 0x9E3779B97F4A7C15u;
  return shards_[mixed >> 56];
}
static_assert(kShards == 256, "shard() takes the upper 8 bits");

Second Limiter::second_of(base::Instant now) const {
  return static_cast<Second>(std::chrono::floor<std::chrono::seconds>(now - origin_).count());
}

base::Duration Limiter::until(Second second, base::Instant now) const {
  return std::max(origin_ + std::chrono::seconds(second) - now, base::Duration::zero());
}

Snapshot Limiter::describe(const Window& window, Limits limits, base::Instant now) const {
  Snapshot out;
  if (limits.rpm > 0) {
    out.requests = {limits.rpm, std::max<int64_t>(limits.rpm - window.requests(), 0),
                    round_up(until(window.requests_gone_at(), now))};
  }
  if (limits.tpm > 0) {
    out.tokens = {limits.tpm, std::max<int64_t>(limits.tpm - window.tokens(), 0),
                  round_up(until(window.tokens_gone_at(), now))};
  }
  return out;
}

Error Limiter::refusal(const Window& window, Limits limits, int64_t tokens,
                       base::Instant now) const {
  base::Duration requests_wait{0};
  base::Duration tokens_wait{0};
  if (limits.rpm > 0) requests_wait = until(window.requests_fall_to(limits.rpm - 1), now);
  if (limits.tpm > 0) tokens_wait = until(window.tokens_fall_to(limits.tpm - tokens), now);
  const bool by_requests = requests_wait >= tokens_wait;
  const milliseconds wait = round_up(std::max(requests_wait, tokens_wait));
  Error error(
      ErrorCode::rate_limited,
      fmt::format("Rate limit reached for this API key on {}: Limit {}, Used {}, Requested {}. "
                  "Please try again in {}, or raise the key's limit.",
                  by_requests ? "requests per min (RPM)" : "tokens per min (TPM)",
                  by_requests ? limits.rpm : limits.tpm,
                  by_requests ? window.requests() : window.tokens(), by_requests ? 1 : tokens,
                  in_words(wait)));
  error.retry_after = wait;
  return error;
}

void Limiter::correct(base::ApiKeyId key, Second admitted, int64_t reserved, int64_t actual) {
  if (actual == reserved) return;
  Shard& home = shard(key);
  const std::lock_guard lock(home.mutex);
  if (actual < reserved) {
    Entry* entry = home.find(key);
    if (entry == nullptr) return;
    entry->window.take_back(admitted, reserved - actual);
    if (entry->share) correct_share(*entry, admitted, actual - reserved);
    return;
  }
  const Second now = second_of(clock_.now());
  Entry& entry = home.find_or_insert(key, now);
  entry.window.advance(now);
  entry.window.add(now, 0, actual - reserved);
  if (entry.share) correct_share(entry, now, actual - reserved);
}

}  // namespace deeppool::ratelimit
