// ConfigRefresh: keeps what the hot path reads (keys, catalog, policies, terms of funds) equal to
// the tables. config_version, so that a change made by any process is in force everywhere within a
// second, and is asked for a refresh by the process that made the change. One per process, owned by
// services, safe on every thread. On an error the last good state stays and the next poll tries
// again.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>

#include "async/blocking_pool.h"
#include "async/cancel.h"
#include "async/task.h"
#include "crypto/sealer.h"
#include "governance/funds/funds.h"
#include "identity/key_directory.h"
#include "provider/catalog.h"
#include "routing/router.h"
#include "sql/database.h"

namespace deeppool::jobs {

// Half of the second that is promised; the other half is for reading 100,000 keys.
inline constexpr std::chrono::milliseconds kConfigPoll{500};

struct RefreshTargets {
  sql::Database& database;
  const crypto::Sealer& sealer;
  identity::KeyDirectory& keys;
  provider::CatalogDirectory& catalog;
  routing::Router& router;
  governance::Funds& funds;
};

class ConfigRefresh {
 public:
  explicit ConfigRefresh(RefreshTargets targets) : targets_(targets) {}

  // Blocking, on any thread but a loop's: reloads if the version has moved. What was committed
  // before the call is in force after it.
  Result<void> refresh();
  // Polls until `scope` is cancelled; runs refresh() on `pool`, which must outlive it.
  Task<void> run(async::BlockingPool& pool, async::CancelScope& scope);

  // The config_version in force; 0 before the first load.
  int64_t loaded_version() const { return loaded_.load(std::memory_order_relaxed); }

 private:
  Result<void> refresh_locked();
  void note(const Result<void>& outcome);

  RefreshTargets targets_;
  std::mutex mutex_;
  std::atomic<int64_t> loaded_{0};
  std::atomic<bool> failing_{false};
};

}  // namespace deeppool::jobs
