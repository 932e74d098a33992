// The Limiter's part for several instances: what covers an admission, and what Redis is told.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ratelimit/limiter.h"

namespace deeppool::ratelimit {
namespace {

using std::chrono::milliseconds;

// How much of `limit` is asked for at once, beyond what is needed now.
int64_t chunk(int64_t limit, int64_t instances) {
  if (limit <= kStrictLimit) return 0;
  return std::clamp<int64_t>(limit / (kChunksOverAll * instances), 1, limit / kLargestChunk);
}

// What the whole fleet left, as of the last answer, and what we hold of it.
void tell_shared(Snapshot& snapshot, const Share& share, Limits limits) {
  const auto left = [](int64_t limit, int64_t used, int64_t held) {
    return std::max<int64_t>(limit - used, 0) + held;
  };
  snapshot.requests.remaining = std::min(
      snapshot.requests.remaining, left(limits.rpm, share.fleet_requests, share.requests.left));
  snapshot.tokens.remaining =
      std::min(snapshot.tokens.remaining, left(limits.tpm, share.fleet_tokens, share.tokens.left));
}

Error try_again(std::string message, milliseconds wait) {
  Error error(ErrorCode::rate_limited, std::move(message));
  error.retry_after = wait;
  return error;
}

// Soon: Redis may be back, or another instance may have more.
Error refusal_alone() {
  return try_again(
      "Rate limit reached for this API key: the instances of this platform cannot share its limit "
      "at the moment, and this one's part is used. Please try again in 1s.",
      milliseconds(1000));
}

Error refusal_shared(const Share& share, Limits limits, int64_t tokens, base::Instant now) {
  const auto wait = std::chrono::ceil<milliseconds>(
      std::max<base::Duration>(share.free_at - now, milliseconds(1)));
  const bool by_requests = limits.rpm > 0 && share.fleet_requests >= limits.rpm;
  return try_again(
      fmt::format("Rate limit reached for this API key on {}: Limit {}, Used {}, Requested {}. "
                  "Please try again in {:.3g}s, or raise the key's limit.",
                  by_requests ? "requests per min (RPM)" : "tokens per min (TPM)",
                  by_requests ? limits.rpm : limits.tpm,
                  by_requests ? share.fleet_requests : share.fleet_tokens, by_requests ? 1 : tokens,
                  static_cast<double>(wait.count()) / 1000),
      wait);
}

}  // namespace

// What is left of an earlier join is worthless: Redis lets it lapse.
Share& Limiter::share_of(Entry& entry, const FleetView& view) const {
  if (!entry.share) entry.share = std::make_unique<Share>();
  Share& share = *entry.share;
  if (share.join != view.join) {
    share.join = view.join;
    share.requests = {};
    share.tokens = {};
    share.expires = {};
    share.believed_until = {};
    share.surplus = 0;
    share.returned.clear();
    share.late_requests.clear();
    share.late_tokens.clear();
  }
  return share;
}

std::optional<Result<Permit>> Limiter::try_admit(base::ApiKeyId key, Limits limits,
                                                 int64_t estimated_tokens) {
  if (limits.rpm <= 0 && limits.tpm <= 0) return Permit();
  Result<int64_t> counted = countable(limits, estimated_tokens);
  if (!counted) return std::move(counted).error();
  const int64_t tokens = *counted;

  Shard& home = shard(key);
  const std::lock_guard lock(home.mutex);
  const FleetView view = fleet_->view();
  const base::Instant now = clock_.now();
  Entry& entry = home.find_or_insert(key, second_of(now));
  entry.window.advance(second_of(now));
  if (!fits(entry.window, limits, tokens)) return refusal(entry.window, limits, tokens, now);
  if (view.mode == Mode::alone) {
    const Part part = part_alone(entry, limits, view, now);
    const bool within = (limits.rpm <= 0 || entry.window.requests() < part.requests) &&
                        (limits.tpm <= 0 || entry.window.tokens() <= part.tokens - tokens);
    if (!within) return refusal_alone();
    fleet_->note_alone();
    return count(key, entry.window, limits, tokens, now);
  }
  Share& share = share_of(entry, view);
  if (now < share.believed_until && tokens >= share.refused_tokens) {
    return refusal_shared(share, limits, tokens, now);
  }
  const int64_t requests = limits.rpm > 0 ? 1 : 0;
  if (!share.covers(requests, tokens, now)) return std::nullopt;
  share.requests.spend(requests, share.redis_second(now));
  share.tokens.spend(tokens, share.redis_second(now));
  Permit permit = count(key, entry.window, limits, tokens, now);
  tell_shared(permit.snapshot_, share, limits);
  return permit;
}

Error Limiter::uncovered() {
  return try_again(
      "The limits of this API key cannot be checked at this moment. Please try again in 1s.",
      milliseconds(1000));
}

// ---- alone

// What this instance admitted in the last 60 s, at the moment when it was left alone, and what it
// then held: Redis had that on its account. Nothing was admitted between that moment and now.
void Limiter::freeze(Share& share, const Window& window, base::Instant alone_since) const {
  share.frozen_at = alone_since;
  share.frozen_requests = alone_since < share.expires ? share.requests.left : 0;
  share.frozen_tokens = alone_since < share.expires ? share.tokens.left : 0;
  const Second then = second_of(alone_since);
  window.each([&](Second second, int64_t requests, int64_t tokens) {
    if (second + kWindowSeconds <= then) return;  // perhaps forgotten by Redis already
    share.frozen_requests += requests;
    share.frozen_tokens += tokens;
  });
}

// At first no more than what was on our account and a little, and no more than our part: then,
// whatever the others did before, the sum stays within 1.05 of the limit. When all of before has
// left the windows, our part.
Limiter::Part Limiter::part_alone(Entry& entry, Limits limits, const FleetView& view,
                                  base::Instant now) const {
  if (view.instances == 1) return {limits.rpm, limits.tpm};
  Part part{view.fair_share(limits.rpm), view.fair_share(limits.tpm)};
  if (view.settled(now)) return part;
  Share& share = share_of(entry, view);
  if (share.frozen_at != view.alone_since) freeze(share, entry.window, view.alone_since);
  part.requests = std::min(part.requests, share.frozen_requests + part.requests / kBlindPart);
  part.tokens = std::min(part.tokens, share.frozen_tokens + part.tokens / kBlindPart);
  return part;
}

// ---- what Redis is told

void Limiter::queue_report(Entry& entry) {
  if (entry.share->queued) return;
  entry.share->queued = true;
  const std::lock_guard lock(reports_mutex_);
  reports_.push_back(entry.key);
}

std::vector<base::ApiKeyId> Limiter::take_reports() {
  const std::lock_guard lock(reports_mutex_);
  const size_t n = std::min(reports_.size(), kReportsPerBeat);
  std::vector<base::ApiKeyId> out(reports_.begin(), reports_.begin() + static_cast<ptrdiff_t>(n));
  reports_.erase(reports_.begin(), reports_.begin() + static_cast<ptrdiff_t>(n));
  return out;
}

// `difference` tokens more (dated `second`, which is now) or fewer (of the second of admission).
void Limiter::correct_share(Entry& entry, Second second, int64_t difference) {
  const FleetView view = fleet_->view();
  if (view.mode == Mode::alone) return;  // the window is told as a whole when we are taken in
  Share& share = share_of(entry, view);
  if (difference > 0) {
    share.surplus += difference;
  } else if (!share.returned.empty() && share.returned.back().first == second) {
    share.returned.back().second -= difference;
  } else if (share.returned.size() < kMaxCorrections) {
    share.returned.emplace_back(second, -difference);
  }
  queue_report(entry);
}

// What was admitted alone, dated at the end of its second.
void Limiter::add_seeds(const Entry& entry, base::Instant since, base::Instant now,
                        LeaseOrder& order) const {
  entry.window.each([&](Second second, int64_t requests, int64_t tokens) {
    const base::Instant end = origin_ + std::chrono::seconds(second + 1);
    if (end <= since) return;
    const int64_t age = std::max<int64_t>(0, std::chrono::floor<milliseconds>(now - end).count());
    if (requests > 0) order.request_moves.push_back({Move::Dated::age_late, age, requests});
    if (tokens > 0) order.token_moves.push_back({Move::Dated::age_late, age, tokens});
  });
}

LeaseOrder Limiter::start_order(Entry& entry, const FleetView& view, Held held,
                                base::Instant now) const {
  LeaseOrder order;
  order.join = view.join;
  order.sent = now;
  order.epoch = view.epoch;
  Share& share = share_of(entry, view);
  order.request_moves = std::exchange(share.late_requests, {});
  order.token_moves = std::exchange(share.late_tokens, {});
  if (held == Held::give_back) {
    share.requests.settle_into(order.request_moves);
    share.tokens.settle_into(order.token_moves);
    share.expires = {};
  }
  if (share.seeded != view.join) {
    add_seeds(entry, view.seed_from, now, order);
    // The window has them already.
    share.surplus = 0;
    share.returned.clear();
  }
  order.surplus = std::exchange(share.surplus, 0);
  if (order.surplus > 0) {
    order.token_moves.push_back({Move::Dated::age_late, 0, order.surplus});
  }
  for (const auto& [second, amount] : share.returned) {
    const base::Instant began = origin_ + std::chrono::seconds(second);
    const int64_t age = std::chrono::ceil<milliseconds>(now - began).count();
    order.token_moves.push_back({Move::Dated::age_early, age, -amount});
  }
  share.returned.clear();
  return order;
}

LeaseOrder Limiter::open_order(base::ApiKeyId key, Limits limits, Wanted wanted) {
  Shard& home = shard(key);
  const std::lock_guard lock(home.mutex);
  const FleetView view = fleet_->view();
  const base::Instant now = clock_.now();
  Entry& entry = home.find_or_insert(key, second_of(now));
  entry.window.advance(second_of(now));
  share_of(entry, view).limits = limits;
  return wanting_order(entry, view, wanted, now);
}

// Everything that is held goes back and is taken anew.
LeaseOrder Limiter::wanting_order(Entry& entry, const FleetView& view, Wanted wanted,
                                  base::Instant now) const {
  LeaseOrder order = start_order(entry, view, Held::give_back, now);
  const Limits limits = entry.share->limits;
  order.limits = limits;
  order.least_tokens = wanted.least_tokens;
  if (limits.rpm > 0) order.want_requests = wanted.requests + chunk(limits.rpm, view.instances);
  if (limits.tpm > 0) order.want_tokens = wanted.tokens + chunk(limits.tpm, view.instances);
  const bool strict = (limits.rpm > 0 && limits.rpm <= kStrictLimit) ||
                      (limits.tpm > 0 && limits.tpm <= kStrictLimit);
  order.lasts = strict ? kStrictLease : kLease;
  return order;
}

std::optional<LeaseOrder> Limiter::open_report(base::ApiKeyId key) {
  Shard& home = shard(key);
  const std::lock_guard lock(home.mutex);
  Entry* entry = home.find(key);
  if (entry == nullptr || !entry->share) return std::nullopt;
  Share& share = *entry->share;
  share.queued = false;
  const FleetView view = fleet_->view();
  if (view.mode == Mode::alone || share.join != view.join) return std::nullopt;
  const base::Instant now = clock_.now();
  if (!share.to_report(now)) {
    if (share.holds_lease()) queue_report(*entry);
    return std::nullopt;
  }
  entry->window.advance(second_of(now));
  if (share.to_renew(now)) return wanting_order(*entry, view, {}, now);
  const bool running = share.holds_lease() && !share.lapsed(now);
  if (running) queue_report(*entry);
  return start_order(*entry, view, running ? Held::keep : Held::give_back, now);
}

void Limiter::close_order(base::ApiKeyId key, const LeaseOrder& order, const LeaseAnswer* answer) {
  Shard& home = shard(key);
  const std::lock_guard lock(home.mutex);
  const base::Instant now = clock_.now();
  Entry& entry = home.find_or_insert(key, second_of(now));
  const FleetView view = fleet_->view();
  Share& share = share_of(entry, view);
  if (order.join != view.join) return;
  if (answer == nullptr) {
    // Told twice counts twice, which is too much but never too little.
    share.surplus += order.surplus;
    if (share.surplus > 0) queue_report(entry);
    return;
  }
  share.seeded = order.join;
  share.fleet_requests = answer->used_requests;
  share.fleet_tokens = answer->used_tokens;
  if (order.want_requests + order.want_tokens == 0) return;
  if (answer->free_in_ms > 0) {
    share.believed_until =
        now + std::min<base::Duration>(kRefusalBelieved, milliseconds(answer->free_in_ms));
    share.free_at = now + milliseconds(answer->free_in_ms);
    share.refused_tokens = order.least_tokens;
    return;
  }
  // Another loop's lease may have come meanwhile: that one goes back as it is.
  share.requests.settle_into(share.late_requests);
  share.tokens.settle_into(share.late_tokens);
  share.sent = order.sent;
  share.redis_ms = answer->redis_ms;
  share.expires = order.sent + order.lasts;
  share.believed_until = {};
  share.requests = {answer->requests, answer->requests, answer->end_second, {}};
  share.tokens = {answer->tokens, answer->tokens, answer->end_second, {}};
  queue_report(entry);
}

}  // namespace deeppool::ratelimit
