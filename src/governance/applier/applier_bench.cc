// What it costs to bring finished requests into the store, in batches and one row per transaction.
// SQLite always; MariaDB when DEEPPOOL_TEST_MARIADB names one.
#include <benchmark/benchmark.h>

#include "governance/applier/crash_world.h"
#include "testing/databases.h"

namespace deeppool::governance {
namespace {

enum class Price { free, charged };

void settle(benchmark::State& state, testing::DatabaseKind kind, Price price) {
  if (!testing::TemporaryDatabase::available(kind)) return state.SkipWithError("no server named");
  testing::TemporaryDatabase temporary(kind);
  add_user_with_two_keys(temporary.database());
  UsageStore store(temporary.database(), numbered_request(1));
  const auto batch = static_cast<size_t>(state.range(0));
  const base::SystemClock clock;
  base::SystemRandom random;
  int64_t n = 0;
  std::vector<UsageRow> rows;
  for (auto _ : state) {
    state.PauseTiming();
    rows.clear();
    for (size_t i = 0; i < batch; ++i) {
      rows.push_back(usage_row(numbered_final(++n % 100)));
      Bill& bill = rows.back().bill;
      bill = {};
      if (price == Price::charged) bill.charged = base::Money::units(n);
      rows.back().quota_leased = price == Price::charged;
      // As in life: ids and times grow together, so that rows go to the end of every index.
      rows.back().request_id = base::RequestId::make(clock, random);
      rows.back().started_at_ms = base::unix_ms(clock.wall());
    }
    const SpoolCursor cursor{0, 1, n};
    state.ResumeTiming();
    if (!store.apply(rows, {&cursor, 1})) return state.SkipWithError("not stored");
  }
  state.SetItemsProcessed(n);
}

using enum testing::DatabaseKind;
BENCHMARK_CAPTURE(settle, sqlite_free, sqlite, Price::free)->Arg(1)->Arg(64)->Arg(256);
BENCHMARK_CAPTURE(settle, sqlite_charged, sqlite, Price::charged)->Arg(1)->Arg(64)->Arg(256);
BENCHMARK_CAPTURE(settle, mariadb_free, mariadb, Price::free)->Arg(1)->Arg(64)->Arg(256);
BENCHMARK_CAPTURE(settle, mariadb_charged, mariadb, Price::charged)->Arg(1)->Arg(64)->Arg(256);

}  // namespace
}  // namespace deeppool::governance
