// Requests and tokens per minute, per API key. One Limiter for all event loops: a table sharded by
// key behind short locks that are never held across anything else. Invariant: at every admission,
// what was admitted in the trailing 60 s plus the new request is within the limit. Releases come at
// most 1 s late (window.h). With a Fleet the limit is shared: the window is kept all the same, and
// each admission is covered by what this instance holds of the key (share.h), or by its part of the
// limit while it is alone.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/ids.h"
#include "ratelimit/fleet.h"
#include "ratelimit/limits.h"
#include "ratelimit/share.h"
#include "ratelimit/window.h"

namespace deeppool::ratelimit {

// One metric's x-ratelimit-{limit,remaining,reset}-*; limit 0: unlimited, no headers.
struct Allowance {
  int64_t limit = 0;
  int64_t remaining = 0;
  std::chrono::milliseconds reset{0};  // until the whole limit is free again, as OpenAI defines it
};
struct Snapshot {
  Allowance requests;
  Allowance tokens;
};

class Limiter;

// A request's admission. Settle it when the tokens are known; dropped without that, its token
// reservation is released (the request itself stays counted). Outlived by its Limiter.
class [[nodiscard]] Permit {
 public:
  Permit() = default;  // of a key without limits
  Permit(Permit&& other) noexcept;
  Permit& operator=(Permit&& other) noexcept;
  ~Permit() { release(); }

  // Corrects the reservation. Fewer tokens than reserved are taken out of the second of admission,
  // where they were counted. More are charged to the present second: the second of admission may be
  // long past, and a surplus dated there would be forgotten early or at once. Once; later calls do
  // nothing.
  void settle(int64_t actual_tokens);
  // As of admission, this request included.
  const Snapshot& snapshot() const { return snapshot_; }

 private:
  friend class Limiter;
  void release();

  Limiter* limiter_ = nullptr;  // null: nothing to settle
  base::ApiKeyId key_;
  Second second_ = 0;
  int64_t reserved_ = 0;
  Snapshot snapshot_;
};

class Limiter {
 public:
  // `clock` outlives the Limiter.
  explicit Limiter(const base::Clock& clock) : clock_(clock), origin_(clock.now()) {}
  // Shares limits; `fleet` outlives the Limiter.
  Limiter(const base::Clock& clock, const Fleet& fleet)
      : clock_(clock), origin_(clock.now()), fleet_(&fleet) {}
  Limiter(const Limiter&) = delete;

  // rate_limited with retry_after (exact, if nothing is settled meanwhile), or without if the
  // estimate alone is above `limits.tpm`. A refused request is not counted.
  Result<Permit> admit(base::ApiKeyId key, Limits limits, int64_t estimated_tokens);
  // What a refusal's headers say.
  Snapshot snapshot(base::ApiKeyId key, Limits limits);

  // ---- with a Fleet, for its LeaseDesk and Reporter

  // As admit(). Nothing: what is held of the key does not cover the request; ask Redis, then again.
  std::optional<Result<Permit>> try_admit(base::ApiKeyId key, Limits limits,
                                          int64_t estimated_tokens);
  // When Redis did not answer in time.
  static Error uncovered();
  // Takes what is held and what is to be told into an order for `requests` and `tokens` (of all who
  // wait; `least_tokens` of the most modest).
  struct Wanted {
    int64_t requests = 0;
    int64_t tokens = 0;
    int64_t least_tokens = 0;
  };
  LeaseOrder open_order(base::ApiKeyId key, Limits limits, Wanted wanted);
  // The same with nothing wanted; nothing if there is nothing to tell now.
  std::optional<LeaseOrder> open_report(base::ApiKeyId key);
  // `answer` null: no useful answer came.
  void close_order(base::ApiKeyId key, const LeaseOrder& order, const LeaseAnswer* answer);
  // Keys that have, or will have, something to report; at most kReportsPerBeat.
  std::vector<base::ApiKeyId> take_reports();

  // Keys that hold memory now: those admitted in the last minute and a shrinking rest.
  size_t tracked_keys() const;

 private:
  friend class Permit;
  struct Entry {
    base::ApiKeyId key;
    Window window;
    std::unique_ptr<Share> share;  // null without a Fleet
  };
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    std::list<Entry> by_age;  // longest unused first
    std::unordered_map<base::ApiKeyId, std::list<Entry>::iterator> entries;

    Entry* find(base::ApiKeyId key);
    Entry& find_or_insert(base::ApiKeyId key, Second now);
  };

  Shard& shard(base::ApiKeyId key);
  Second second_of(base::Instant now) const;
  Snapshot describe(const Window& window, Limits limits, base::Instant now) const;
  base::Duration until(Second second, base::Instant now) const;
  static bool fits(const Window& window, Limits limits, int64_t tokens);
  Error refusal(const Window& window, Limits limits, int64_t tokens, base::Instant now) const;
  static Result<int64_t> countable(Limits limits, int64_t estimated_tokens);
  Permit count(base::ApiKeyId key, Window& window, Limits limits, int64_t tokens,
               base::Instant now);
  void correct_share(Entry& entry, Second second, int64_t difference);
  Share& share_of(Entry& entry, const FleetView& view) const;
  struct Part {
    int64_t requests = 0;
    int64_t tokens = 0;
  };
  Part part_alone(Entry& entry, Limits limits, const FleetView& view, base::Instant now) const;
  void freeze(Share& share, const Window& window, base::Instant alone_since) const;
  void add_seeds(const Entry& entry, base::Instant since, base::Instant now,
                 LeaseOrder& order) const;
  enum class Held { keep, give_back };
  LeaseOrder start_order(Entry& entry, const FleetView& view, Held held, base::Instant now) const;
  LeaseOrder wanting_order(Entry& entry, const FleetView& view, Wanted wanted,
                           base::Instant now) const;
  void queue_report(Entry& entry);
  void correct(base::ApiKeyId key, Second admitted, int64_t reserved, int64_t actual);

  const base::Clock& clock_;
  const base::Instant origin_;
  const Fleet* fleet_ = nullptr;
  std::array<Shard, kShards> shards_;
  std::mutex reports_mutex_;
  std::vector<base::ApiKeyId> reports_;
};

}  // namespace deeppool::ratelimit
