// EndpointHealth: how one upstream endpoint does, learned from the outcomes of what it was asked:
// whether it may be asked now, how fast it answers, how much it has in hand. Live: shared by all
// loops and by every catalog that has the endpoint (CatalogDirectory keeps it by id). Safe on every
// thread, behind one short lock; nothing waits under it. Knows no clock: time comes with each call.
// Invariant: while it is ejected nobody enters but who insists; then one probe at a time.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "provider/limits.h"

namespace deeppool::provider {

// What an endpoint did wrong.
enum class Fault : uint8_t {
  connect,        // no connection, no TLS
  timeout,        // no answer, or no first event, in time
  server_error,   // 5xx, 408, or such an error with status 200
  bad_answer,     // cut, malformed, empty
  rate_limited,   // 429
  refused,        // our key, account or model name there: nobody else's traffic mends it
  stream_broken,  // after its first event
};
std::string_view to_string(Fault fault);

// ejected: until a time; half_open: that time is over, the next request will tell.
enum class Standing : uint8_t { healthy, ejected, half_open };
std::string_view to_string(Standing standing);

class EndpointHealth;

// One request at an endpoint. What was not reported when it goes away was cancelled, which says
// nothing. Reports may follow each other (an answer that began, then broke). One thread at a time.
class [[nodiscard]] EndpointSlot {
 public:
  EndpointSlot() = default;
  EndpointSlot(EndpointSlot&& other) noexcept
      : health_(std::move(other.health_)),
        epoch_(other.epoch_),
        since_(other.since_),
        probe_(std::exchange(other.probe_, false)) {}
  EndpointSlot& operator=(EndpointSlot&& other) noexcept;
  ~EndpointSlot() { release(); }
  explicit operator bool() const { return health_ != nullptr; }

  // It answered; the time until then counts.
  void succeeded(base::Instant now);
  // It answered that the request itself is wrong: it works, how fast is not to be learned.
  void answered(base::Instant now);
  // It was only asked for a sign of life and gave one. Whoever was out of reach or refused us is
  // readmitted; of others, who fail at their work, a real request will tell.
  void lives(base::Instant now);
  // `retry_after`: as the endpoint asked; bounded by kLongestRetryAfter.
  void failed(Fault fault, std::optional<base::Duration> retry_after, base::Instant now,
              base::Random& random);
  // Given up for somebody faster: it takes at least this long.
  void outrun(base::Instant now);
  // Leaves, cancelled if nothing was reported.
  void release();

 private:
  friend class EndpointHealth;
  std::shared_ptr<EndpointHealth> health_;
  uint64_t epoch_ = 0;  // of the health when it entered: what happened before says nothing of after
  base::Instant since_{};
  bool probe_ = false;
};

class EndpointHealth : public std::enable_shared_from_this<EndpointHealth> {
 public:
  enum class Insist : uint8_t { no, yes };
  enum class Refusal : uint8_t { none, ejected, told_to_wait, full };
  struct Entry {
    EndpointSlot slot;  // empty when refused
    Refusal refusal = Refusal::none;
    base::Instant until{};  // of ejected and told_to_wait: when it may be asked again
  };
  // `max_inflight`: 0 is no limit. Who insists is let in though it is ejected, but not above
  // max_inflight. Before the end of a Retry-After who insists is let in one at a time, each no
  // sooner than an ejection without a word would have ended.
  Entry enter(int64_t max_inflight, base::Instant now, Insist insist = Insist::no);

  // By hand: as if nothing had ever happened.
  void readmit(base::Instant now);
  // Its ejection is over and nobody has looked whether it lives.
  bool wants_probe(base::Instant now) const;

  struct View {
    Standing standing = Standing::healthy;
    bool told_to_wait = false;  // ejected by a Retry-After
    base::Instant until{};      // of the ejection; unless healthy
    int consecutive_failures = 0;
    int64_t recent_requests = 0;  // of the last kErrorWindowSeconds
    double error_rate = 0;        // of those
    base::Duration latency{};     // until an answer begins, peaks weighing more; 0: not known
    int64_t inflight = 0;
    uint64_t ejections = 0;  // since the start
    std::optional<Fault> last_fault;
    base::Instant last_fault_at{};
  };
  View view(base::Instant now) const;
  // For planning, without the lock.
  bool healthy() const { return !closed_hint_.load(std::memory_order_relaxed); }
  int64_t inflight() const { return inflight_.load(std::memory_order_relaxed); }
  base::Duration latency(base::Instant now) const;

 private:
  friend class EndpointSlot;
  struct Bucket {
    int64_t second = -1;
    uint32_t good = 0;
    uint32_t bad = 0;
  };
  struct Counted {
    int64_t good = 0;
    int64_t bad = 0;
  };
  struct Closing {
    base::Duration length{};
    base::Duration look{};  // how long nobody is let in who insists
    bool told = false;
  };
  Bucket& bucket(base::Instant now);
  Counted recent(base::Instant now) const;
  void report_good(EndpointSlot& slot, base::Instant now);
  void report_bad(EndpointSlot& slot, Fault fault, std::optional<base::Duration> retry_after,
                  base::Instant now, base::Random& random);
  void observe(base::Duration latency, base::Instant now);
  void close(Closing closing, base::Instant now);
  void open(base::Instant now);
  base::Duration ejection(Fault fault, base::Random& random) const;
  bool end_probe(EndpointSlot& slot);

  mutable std::mutex mutex_;
  bool closed_ = false;
  bool told_to_wait_ = false;
  bool probing_ = false;
  bool lives_ = false;  // asked since the ejection was over
  int consecutive_ = 0;
  int level_ = 0;       // ejections in a row that are one trouble
  uint64_t epoch_ = 0;  // grows when it is ejected or readmitted
  uint64_t ejections_ = 0;
  base::Instant until_{};
  base::Instant look_at_{};  // before the end of a Retry-After: when one may see how it is
  std::optional<base::Instant> opened_at_;  // the last readmission
  base::Duration last_length_{};
  std::array<Bucket, kErrorWindowSeconds> window_;
  std::optional<Fault> last_fault_;
  base::Instant last_fault_at_{};

  std::atomic<bool> closed_hint_{false};
  std::atomic<int64_t> inflight_{0};
  std::atomic<int64_t> latency_ns_{0};
  std::atomic<int64_t> latency_at_ns_{0};
};

}  // namespace deeppool::provider
