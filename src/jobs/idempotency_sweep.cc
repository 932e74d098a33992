#include "jobs/idempotency_sweep.h"

#include "base/log.h"
#include "idempotency/limits.h"

namespace deeppool::jobs {
namespace {

// A pile of a day takes seconds, in small steps.
constexpr std::chrono::seconds kSweepDeadline{300};

}  // namespace

Task<void> sweep_idempotency_keys(idempotency::Book& book, JobLease lease,
                                  async::BlockingPool& pool, async::CancelScope& scope) {
  while (true) {
    const bool waited = co_await async::sleep_for(idempotency::kSweepInterval, scope);
    if (!waited) co_return;
    const base::Deadline deadline{async::Loop::current().now() + kSweepDeadline};
    auto sweep = [&book, lease]() -> Result<int64_t> {
      DP_TRY(const bool ours, lease.hold());
      if (!ours) return 0;
      return book.sweep();
    };
    Result<int64_t> swept = co_await pool.run(std::move(sweep), deadline);
    if (!swept) {
      log::warn("expired idempotency keys stay for now", {{"reason", swept.error().message}});
    }
  }
}

}  // namespace deeppool::jobs
