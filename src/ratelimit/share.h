// Share: what this instance holds of one key while several share its limits, and what it still has
// to tell Redis. Lives beside the key's Window under the Limiter's shard lock.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "ratelimit/limits.h"
#include "ratelimit/window.h"

namespace deeppool::ratelimit {

// As the key's row says them; 0 is unlimited. They are passed with every request, so that an edit
// is in force at once.
struct Limits {
  int64_t rpm = 0;
  int64_t tpm = 0;
};

// A change of Redis's ring. `second` is Redis's own clock; an age counts back from the call, and is
// rounded so that what is added stays long enough (late) and what is taken leaves soon enough
// (early).
struct Move {
  enum class Dated { second, age_late, age_early };
  Dated dated = Dated::second;
  int64_t when = 0;  // seconds, or milliseconds of age
  int64_t amount = 0;
};

// Allowance that Redis has debited for us, dated at its end; reported, it is dated when it was
// used.
struct Lease {
  int64_t left = 0;
  int64_t granted = 0;
  int64_t end_second = 0;                         // where Redis has put it
  std::vector<std::pair<int64_t, int64_t>> uses;  // Redis second, amount

  void spend(int64_t amount, int64_t second);
  // Puts what was used where it belongs, and the rest back.
  void settle_into(std::vector<Move>& moves);
};

struct Share {
  uint64_t join = 0;    // of what follows; of another join it is worthless
  uint64_t seeded = 0;  // the join in which Redis was told what we admitted alone
  Lease requests;
  Lease tokens;
  base::Instant sent{};        // of the call that brought the lease
  int64_t redis_ms = 0;        // Redis's time in its answer
  base::Instant expires{};     // of the lease
  Limits limits;               // under which it was asked for
  int64_t fleet_requests = 0;  // counted by Redis then, our lease included
  int64_t fleet_tokens = 0;

  // Refused by Redis: not asked again before `believed_until` for as many tokens or more.
  base::Instant believed_until{};
  base::Instant free_at{};
  int64_t refused_tokens = 0;

  // To be reported.
  int64_t surplus = 0;                               // tokens used beyond their reservation
  std::vector<std::pair<Second, int64_t>> returned;  // tokens of that second that were not used
  std::vector<Move> late_requests;                   // of leases that were overtaken
  std::vector<Move> late_tokens;
  bool queued = false;  // for a report

  // While alone: what we may have in the window, fixed when it began.
  base::Instant frozen_at = base::Instant::max();  // max: not fixed
  int64_t frozen_requests = 0;
  int64_t frozen_tokens = 0;

  bool covers(int64_t request_count, int64_t token_count, base::Instant now) const {
    return now < expires && requests.left >= request_count && tokens.left >= token_count;
  }
  int64_t redis_second(base::Instant now) const {
    return (redis_ms + std::chrono::ceil<std::chrono::milliseconds>(now - sent).count()) / 1000;
  }
  bool holds_lease() const { return requests.granted > 0 || tokens.granted > 0; }
  bool lapsed(base::Instant now) const { return holds_lease() && now >= expires; }
  // A lease in use is taken anew before it ends, so that there is always a reserve to be left alone
  // with.
  bool to_renew(base::Instant now) const {
    const bool used = !requests.uses.empty() || !tokens.uses.empty();
    const bool lasting = expires - sent > kRenewAhead;
    return holds_lease() && used && lasting && !lapsed(now) && now >= expires - kRenewAhead;
  }
  bool to_report(base::Instant now) const {
    return surplus > 0 || !returned.empty() || !late_requests.empty() || !late_tokens.empty() ||
           lapsed(now) || to_renew(now);
  }
};

// A call to Redis about one key.
struct LeaseOrder {
  uint64_t join = 0;
  std::shared_ptr<const std::string> epoch;
  Limits limits;
  std::vector<Move> request_moves;
  std::vector<Move> token_moves;
  int64_t least_tokens = 0;  // nothing is granted unless these and one request are free
  int64_t want_requests = 0;
  int64_t want_tokens = 0;
  int64_t surplus = 0;                 // within token_moves, to be kept if the call fails
  std::chrono::milliseconds lasts{0};  // how long the grant is good
  base::Instant sent{};
};
struct LeaseAnswer {
  int64_t redis_ms = 0;
  int64_t end_second = 0;
  int64_t requests = 0;
  int64_t tokens = 0;
  int64_t used_requests = 0;  // of the whole fleet
  int64_t used_tokens = 0;
  int64_t free_in_ms = 0;  // refused: until what is needed may be free
};

}  // namespace deeppool::ratelimit
