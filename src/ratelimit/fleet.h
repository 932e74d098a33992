// Fleet: what this instance knows of the others that share its limits over Redis. Owned by
// services, told by the heartbeat, asked at every admission; safe on every thread. Invariant: while
// `mode` is `shared`, Redis counts us in and our leases are good; it begins to set our share aside
// before we begin to use it (`alone`).
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "ratelimit/limits.h"

namespace deeppool::ratelimit {

enum class Mode { shared, alone };

struct FleetView {
  Mode mode = Mode::alone;
  uint64_t join = 0;          // grows each time we are taken in (again)
  base::Instant seed_from{};  // what we admitted since then is not known to Redis, as of this join
  base::Instant alone_since = base::Instant::min();  // min: never shared
  int64_t instances = 1;
  int64_t rank = 0;                          // ours among them, from 0
  std::shared_ptr<const std::string> epoch;  // null: never answered

  // Our part of `limit` when everybody is alone: the parts add up to the limit.
  int64_t fair_share(int64_t limit) const {
    return limit / instances + (rank < limit % instances ? 1 : 0);
  }
  // Everything of before has left every window.
  bool settled(base::Instant now) const {
    return alone_since == base::Instant::min() || now >= alone_since + kSettled;
  }
};

// One message to Redis and what came back.
struct Beat {
  // hello asks for the time; join takes us in, enter the same for who has admitted nothing yet.
  enum class Kind { hello, join, enter, stay };
  Kind kind = Kind::hello;
  int64_t confirmed_ms = 0;  // Redis's time in the last answer; 0 in a hello
  int64_t known_instances = 0;
};
struct BeatAnswer {
  std::string epoch;
  int64_t now_ms = 0;
  int64_t instances = 1;
  int64_t rank = 0;
  // Redis lost what it knew less than kSettled ago.
  enum class Age { young, mature } age = Age::mature;
  enum class Standing { member, dropped } standing = Standing::member;
};

class Fleet {
 public:
  // `instance` names us for as long as the data directory lives; `clock` outlives the Fleet.
  Fleet(const base::Clock& clock, std::string instance)
      : clock_(clock), instance_(std::move(instance)) {}

  FleetView view() const;
  const std::string& instance() const { return instance_; }
  // Something was admitted that Redis does not know.
  void note_alone() const { admitted_alone_.store(true, std::memory_order_relaxed); }

  // For the heartbeat; `answered` is called when the answer comes.
  Beat next_beat();
  void answered(const Beat& beat, const BeatAnswer& answer);

  // Figures for operators.
  struct Counters {
    std::atomic<uint64_t> leases{0};
    std::atomic<uint64_t> failures{0};   // calls of Redis without a useful answer
    std::atomic<uint64_t> uncovered{0};  // requests refused because Redis did not answer in time
  };
  Counters counters;

 private:
  void leave_now(base::Instant now);

  const base::Clock& clock_;
  const std::string instance_;
  mutable std::mutex mutex_;
  FleetView view_;  // its mode is the one of the last answer
  base::Instant shared_until_ = base::Instant::min();
  bool in_ = false;
  bool ring_unknown_ = true;  // Redis knows nothing of our window
  int64_t confirmed_ms_ = 0;
  int64_t known_ = 0;
  mutable std::atomic<bool> admitted_alone_{false};
};

}  // namespace deeppool::ratelimit
