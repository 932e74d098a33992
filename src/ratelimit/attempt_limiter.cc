#include "ratelimit/attempt_limiter.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "ratelimit/limits.h"

namespace deeppool::ratelimit {

AttemptLimiter::AttemptLimiter(const base::Clock& clock, AttemptRule rule)
    : clock_(clock), rule_(rule), slots_(kAttemptSets * kAttemptWays) {}

Result<void> AttemptLimiter::attempt(std::string_view subject) {
  const std::lock_guard lock(mutex_);
  const base::Instant now = clock_.now();
  Slot& slot = slot_for(std::hash<std::string_view>{}(subject));
  const base::Instant free_at = std::max(slot.free_at, now) + rule_.interval;
  const base::Duration excess = free_at - now - rule_.burst * rule_.interval;
  if (excess <= base::Duration::zero()) {
    slot.free_at = free_at;
    return {};
  }
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(excess);
  Error error(ErrorCode::rate_limited,
              fmt::format("Too many attempts. Please try again in {} s.",
                          std::chrono::ceil<std::chrono::seconds>(wait).count()));
  error.retry_after = wait;
  return error;
}

void AttemptLimiter::forgive(std::string_view subject) {
  const std::lock_guard lock(mutex_);
  slot_for(std::hash<std::string_view>{}(subject)).free_at = {};
}

AttemptLimiter::Slot& AttemptLimiter::slot_for(size_t tag) {
  Slot* const set = &slots_[tag % kAttemptSets * kAttemptWays];
  Slot* idlest = set;
  for (Slot* way = set; way != set + kAttemptWays; ++way) {
    if (way->tag == tag) return *way;
    if (way->free_at < idlest->free_at) idlest = way;
  }
  *idlest = {tag, {}};
  return *idlest;
}

}  // namespace deeppool::ratelimit
