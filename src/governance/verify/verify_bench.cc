// How long the books of a million requests take. SQLite always; MariaDB when DEEPPOOL_TEST_MARIADB
// names one.
#include <benchmark/benchmark.h>

#include "governance/verify/books.h"
#include "governance/verify/verify.h"
#include "testing/databases.h"

namespace deeppool::governance::verify {
namespace {

constexpr int64_t kRequests = 1'000'000;

void check_books(benchmark::State& state, testing::DatabaseKind kind) {
  if (!testing::TemporaryDatabase::available(kind)) return state.SkipWithError("no server named");
  testing::TemporaryDatabase temporary(kind);
  Books books(temporary.database());
  for (int64_t n = 0; n < kRequests; n += 1000) books.add_requests(n, 1000);
  for (auto _ : state) {
    const auto report = verify(temporary.database());
    if (!report || !report->clean()) return state.SkipWithError("the books are wrong");
  }
  state.SetItemsProcessed(state.iterations() * kRequests);
}

using enum testing::DatabaseKind;
BENCHMARK_CAPTURE(check_books, sqlite, sqlite)->Unit(benchmark::kSecond)->Iterations(1);
BENCHMARK_CAPTURE(check_books, mariadb, mariadb)->Unit(benchmark::kSecond)->Iterations(1);

}  // namespace
}  // namespace deeppool::governance::verify
