// Requests and tokens per minute, per API key. One Limiter for all event loops: a table sharded by
// key behind short locks that are never held across anything else. Invariant: at every admission,
// what was admitted in the trailing 60 s plus the new request is within the limit. Releases come at
// most 1 s late (window.h).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <list>
#include <mutex>
#include <unordered_map>

#include "base/clock.h"
#include "base/error.h"
#include "base/ids.h"
#include "ratelimit/limits.h"
#include "ratelimit/window.h"

namespace deeppool::ratelimit {

// As the key's row says them; 0 is unlimited. They are passed with every request, so that an edit
// is in force at once.
struct Limits {
  int64_t rpm = 0;
  int64_t tpm = 0;
};

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
  Limiter(const Limiter&) = delete;

  // rate_limited with retry_after (exact, if nothing is settled meanwhile), or invalid_request if
  // the estimate alone is above `limits.tpm`. A refused request is not counted.
  Result<Permit> admit(base::ApiKeyId key, Limits limits, int64_t estimated_tokens);
  // What a refusal's headers say.
  Snapshot snapshot(base::ApiKeyId key, Limits limits);

  // Keys that hold memory now: those admitted in the last minute and a shrinking rest.
  size_t tracked_keys() const;

 private:
  friend class Permit;
  struct Entry {
    base::ApiKeyId key;
    Window window;
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
  Error refusal(const Window& window, Limits limits, int64_t tokens, base::Instant now) const;
  void correct(base::ApiKeyId key, Second admitted, int64_t reserved, int64_t actual);

  const base::Clock& clock_;
  const base::Instant origin_;
  std::array<Shard, kShards> shards_;
};

}  // namespace deeppool::ratelimit
