#include "jobs/config_refresh.h"

#include "base/log.h"
#include "settings/config_version.h"

namespace deeppool::jobs {
namespace {

// Longer than a statement may take at all: polls must not pile up behind a slow one.
constexpr std::chrono::seconds kRefreshDeadline{60};

}  // namespace

Result<void> ConfigRefresh::refresh() {
  const std::scoped_lock lock(mutex_);
  Result<void> outcome = refresh_locked();
  note(outcome);
  return outcome;
}

Result<void> ConfigRefresh::refresh_locked() {
  // Read before the tables: what changes meanwhile has a higher version and is loaded next time.
  int64_t version = 0;
  {
    DP_TRY(auto reader, targets_.database.read());
    DP_TRY(version, settings::config_version(reader));
  }
  if (version == loaded_version()) return targets_.funds.forget_spent_grants();
  DP_CHECK(targets_.keys.reload(targets_.database));
  DP_CHECK(targets_.catalog.reload(targets_.database, targets_.sealer));
  targets_.router.rebuild(targets_.catalog.current());
  DP_CHECK(targets_.funds.load_terms());
  loaded_.store(version, std::memory_order_relaxed);
  return {};
}

// Once per failure, not once per poll.
void ConfigRefresh::note(const Result<void>& outcome) {
  const bool failed = !outcome.ok();
  if (failing_.exchange(failed) == failed) return;
  if (failed) {
    log::error("keys and models cannot be reloaded; the last state stays in force",
               {{"reason", outcome.error().message}, {"detail", outcome.error().detail}});
  } else {
    log::info("keys and models are reloaded again", {{"version", loaded_version()}});
  }
}

Task<void> ConfigRefresh::run(async::BlockingPool& pool, async::CancelScope& scope) {
  while (true) {
    const bool waited = co_await async::sleep_for(kConfigPoll, scope);
    if (!waited) co_return;
    const base::Deadline deadline{async::Loop::current().now() + kRefreshDeadline};
    // refresh() says itself what failed; the next turn tries again.
    Result<void> done = co_await pool.run([this] { return refresh(); }, deadline);
  }
}

}  // namespace deeppool::jobs
