// Brings the spool's records into the store, exactly once: follows every segment of this instance,
// those of earlier runs too, and writes finished requests in batches together with a cursor. One
// per process; a thread of its own after start(). Everything here blocks: never on an event loop.
// Invariant: a segment is deleted only when all its final records are in the store, durably, and no
// hold in it waits for one.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "governance/applier/follower.h"
#include "governance/limits.h"
#include "governance/spool/spool.h"
#include "governance/usage/usage_store.h"

namespace deeppool::governance {

// For metrics and for /health/ready.
struct Backlog {
  uint64_t bytes = 0;     // written and not yet in the store
  size_t segments = 0;    // files of the spool
  size_t open_holds = 0;  // requests in flight, as the spool knows them
  uint64_t applied = 0;   // final records applied since start, crash-settled ones too
  uint64_t refused = 0;   // rows that the store would not take; logged, their segment kept aside
  bool store_down = false;
};

class Applier {
 public:
  // Both outlive the Applier.
  Applier(Spool& spool, UsageStore& store, size_t batch = kApplyBatch);
  ~Applier();

  // Applies all that earlier runs left and settles their open holds (by the last progress, else
  // nothing). To be called before keys are loaded and requests are served, so that quotas start
  // from the truth. On an Error the thread goes on trying.
  Result<void> recover() { return step(); }
  void start();

  // Everything that is readable now, then deletes what is done. The thread's round; also for tests.
  Result<void> step();
  // True when all that was written before the call is in the store; false at the deadline.
  bool drain(const base::Clock& clock, base::Deadline deadline);

  Backlog backlog() const;

 private:
  struct Pending {
    std::vector<UsageRow> rows;
    std::map<int, SpoolCursor> cursors;  // by loop
  };

  void run(const std::stop_token& stop);
  Result<void> step_locked();
  Result<void> find_segments();
  Result<void> open_follower(const SegmentView& view);
  Result<void> read_segment(Follower& follower);
  void take(Follower& follower, const Record& record);
  void take_final(Follower& follower, const FinalRecord& record);
  Result<void> settle_orphans();
  Result<void> commit();
  Result<void> commit_one_by_one(const Error& cause);
  Result<void> delete_finished();
  void publish();

  Spool& spool_;
  UsageStore& store_;
  const size_t batch_;

  std::mutex step_mutex_;  // guards all below but the last group
  bool cursors_loaded_ = false;
  bool orphans_settled_ = false;
  std::map<int, SpoolCursor> stored_cursors_;
  std::map<int64_t, Follower> followers_;  // by segment number
  std::unordered_map<base::RequestId, OpenHold> open_holds_;
  Pending pending_;
  Backlog counted_;

  mutable std::mutex backlog_mutex_;
  Backlog backlog_;

  std::condition_variable_any wake_;
  std::jthread thread_;  // last: stops first
};

}  // namespace deeppool::governance
