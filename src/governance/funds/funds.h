// Funds: the book, the threads that refill it from the database, and its upkeep. One per process,
// owned by services, safe on every thread; what waits runs on its caller's loop. Order at start:
// Applier::recover(), claim(), load_terms(), serve. At the end: loops gone, end_refills(), the
// applier drained, release().
#pragma once

#include <optional>

#include "async/blocking_pool.h"
#include "async/cancel.h"
#include "async/task.h"
#include "base/boot_clock.h"
#include "base/clock.h"
#include "base/error.h"
#include "governance/funds/fund_book.h"
#include "governance/funds/lease_store.h"
#include "sql/database.h"

namespace deeppool::governance {

class Funds {
 public:
  // Both outlive it; `instance` is the spool's.
  Funds(sql::Database& database, const base::RequestId& instance, const base::Clock& clock);

  // Blocking; only after everything of earlier runs was applied: gives back what they had leased.
  Result<void> claim();
  // Blocking: what administrators settled, if that has changed; for the config refresh alone.
  Result<void> load_terms();
  // The same when they name grants that are spent, once per kSpentGrantLife.
  Result<void> forget_spent_grants();

  // Never waits: see FundBook::raise. After not_yet: cover().
  Result<Covered> raise(Hold& hold, const Demand& demand) { return book_.raise(hold, demand); }
  // Waits for refills, kRefillWait at most, until `hold` covers `demand`. Errors as raise() says
  // them.
  Task<Result<void>> cover(Hold& hold, Demand demand);

  // Gives back idle leases and renews the others until `scope` is cancelled. One per process.
  Task<void> upkeep(async::CancelScope& scope);

  void end_refills() { pool_.reset(); }
  // Blocking; only when all records are applied.
  Result<void> release() { return store_.release(); }

  const FundBook& book() const { return book_; }

 private:
  Task<bool> refilled(base::UserId user, base::Deadline deadline);
  void look_after();
  Result<void> read_terms(sql::Reader& reader);
  Result<void> renew();

  sql::Database& database_;
  const base::Clock& clock_;
  const base::BootClock lease_clock_;  // leases lapse while the machine is suspended, too
  SqlLeaseStore store_;
  FundBook book_;
  base::Instant renewed_at_{};  // of lease_clock_; by upkeep only
  int64_t terms_version_ = 0;   // these two by load_terms only
  base::Instant terms_read_at_{};
  std::optional<async::BlockingPool> pool_;
};

}  // namespace deeppool::governance
