// How often something may be tried: logins per account and per address, codes per e-mail. GCRA:
// `burst` attempts at once, then one per `interval`. One object per rule, safe on every thread.
// Invariant: memory is constant (kAttemptSets x kAttemptWays), whoever asks. When a set is full,
// the subject nearest to being free is forgotten, so a flood of names cannot wash out one under
// attack.
#pragma once

#include <mutex>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace deeppool::ratelimit {

struct AttemptRule {
  int burst = 5;
  base::Duration interval = std::chrono::seconds(60);
};

class AttemptLimiter {
 public:
  // `clock` outlives the limiter.
  AttemptLimiter(const base::Clock& clock, AttemptRule rule);

  // Counts an attempt, or rate_limited with the exact retry_after; a refused one is not counted.
  // Two subjects that hash alike (64 bits) share a count; forcing that gains nothing over
  // attempting the subject itself.
  Result<void> attempt(std::string_view subject);
  // After a success: the subject starts afresh.
  void forgive(std::string_view subject);

 private:
  struct Slot {
    size_t tag = 0;
    base::Instant free_at{};  // GCRA's theoretical arrival time
  };
  Slot& slot_for(size_t tag);

  const base::Clock& clock_;
  const AttemptRule rule_;
  std::mutex mutex_;
  std::vector<Slot> slots_;
};

}  // namespace deeppool::ratelimit
