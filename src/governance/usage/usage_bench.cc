// How long the usage pages take over many usage rows: 10,000,000, or what DEEPPOOL_BENCH_USAGE_ROWS
// says. A thousand users with two keys each and five models over 90 days; user 1 has a tenth of all
// rows and twenty keys. SQLite. `p95_ms` is the figure to look at.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "base/text.h"
#include "governance/applier/crash_world.h"
#include "governance/usage/request_log.h"
#include "testing/databases.h"
#include "testing/fake_clock.h"

namespace deeppool::governance {
namespace {

constexpr int64_t kDays = 90;
constexpr int64_t kUsers = 1000;
constexpr int64_t kFirstMs = 1'800'000'000'000;
constexpr int64_t kDayMs = 86'400'000;
constexpr size_t kFillBatch = 16'384;

int64_t wanted_rows() {
  const char* text = std::getenv("DEEPPOOL_BENCH_USAGE_ROWS");
  return text == nullptr ? 10'000'000 : base::parse_int<int64_t>(text).value_or(10'000'000);
}

UsageRow filled_row(base::Random& random, int64_t at_ms) {
  const testing::FakeClock clock{base::WallTime(std::chrono::milliseconds(at_ms))};
  const uint64_t dice = random.next_u64();
  UsageRow row;
  row.request_id = base::RequestId::make(clock, random);
  const bool heavy = dice % 10 == 0;
  row.user = base::UserId{heavy ? 1 : 1 + static_cast<int64_t>((dice >> 8) % kUsers)};
  const int64_t which = static_cast<int64_t>((dice >> 24) % (heavy ? 20 : 2));
  row.key = base::ApiKeyId{row.user.value * 100 + which};
  row.model = "model-" + std::to_string((dice >> 32) % 5);
  row.source = (dice >> 40) % 5 == 0 ? ModelSource::deepnode : ModelSource::provider;
  if ((dice >> 44) % 1000 == 0) row.outcome = Outcome::rejected;
  row.started_at_ms = at_ms;
  row.status = 200;
  row.usage.prompt_tokens = 1 + static_cast<int64_t>((dice >> 48) % 4000);
  row.usage.completion_tokens = 300;
  return row;
}

// Made once, when the first benchmark asks.
class World {
 public:
  World() : rows_(wanted_rows()), temporary_(testing::DatabaseKind::sqlite) {
    UsageStore filler(temporary_.database(), numbered_request(1));
    base::SystemRandom random;
    std::vector<UsageRow> batch;
    for (int64_t i = 0; i < rows_; ++i) {
      batch.push_back(filled_row(random, kFirstMs + i * kDays * kDayMs / rows_));
      if (batch.size() < kFillBatch && i + 1 < rows_) continue;
      if (!filler.apply(batch, {})) std::abort();
      batch.clear();
    }
    std::fprintf(stderr, "usage rows: %lld\n", static_cast<long long>(rows_));
  }
  sql::Database& database() { return temporary_.database(); }

 private:
  const int64_t rows_;
  testing::TemporaryDatabase temporary_;
};

World& world() {
  static World made;
  return made;
}

UsageFilter last_days(int64_t days) {
  UsageFilter f;
  f.to_day = usage_day(kFirstMs) + kDays - 1;
  f.from_day = f.to_day - days + 1;
  return f;
}

UsageFilter heavy_user(int64_t days) {
  UsageFilter f = last_days(days);
  f.user = base::UserId{1};
  return f;
}

template <class Work>
void measure(benchmark::State& state, Work&& work) {
  std::vector<double> took;
  for (auto _ : state) {
    const auto begun = std::chrono::steady_clock::now();
    if (!work()) return state.SkipWithError("the page failed");
    const auto time = std::chrono::steady_clock::now() - begun;
    took.push_back(std::chrono::duration<double, std::milli>(time).count());
  }
  std::ranges::sort(took);
  state.counters["p95_ms"] = took[(took.size() - 1) * 95 / 100];
}

void summary(benchmark::State& state, UsageFilter (*filter)(int64_t)) {
  UsageStore store(world().database(), numbered_request(1));
  measure(state, [&] { return store.summary(filter(state.range(0))).ok(); });
}

void consumption(benchmark::State& state, UsageFilter (*filter)(int64_t), GroupBy group) {
  UsageStore store(world().database(), numbered_request(1));
  measure(state, [&] { return store.consumption(filter(state.range(0)), group, {1, 20}).ok(); });
}

void requests(benchmark::State& state, const RequestFilter& filter, int pages) {
  measure(state, [&] {
    auto reader = world().database().read();
    if (!reader) return false;
    std::optional<base::RequestId> cursor;
    for (int i = 0; i < pages; ++i) {
      const auto page = list_requests(*reader, filter, cursor, 100);
      if (!page) return false;
      cursor = page->next;
    }
    return true;
  });
}

RequestFilter of_user(int64_t user, const char* model = "") {
  RequestFilter f;
  f.user = base::UserId{user};
  f.model = model;
  return f;
}
RequestFilter of_key(int64_t key) {
  RequestFilter f;
  f.key = base::ApiKeyId{key};
  return f;
}
RequestFilter of_all(const char* outcome, const char* model) {
  RequestFilter f;
  f.outcome = outcome;
  f.model = model;
  return f;
}

BENCHMARK_CAPTURE(summary, user, heavy_user)->Arg(30)->Arg(90)->Iterations(100);
BENCHMARK_CAPTURE(summary, all, last_days)->Arg(30)->Arg(90)->Iterations(100);
BENCHMARK_CAPTURE(consumption, user_by_day, heavy_user, GroupBy::day)->Arg(90)->Iterations(100);
BENCHMARK_CAPTURE(consumption, user_by_model, heavy_user, GroupBy::model)->Arg(90)->Iterations(100);
BENCHMARK_CAPTURE(consumption, user_by_key, heavy_user, GroupBy::key)->Arg(90)->Iterations(100);
BENCHMARK_CAPTURE(consumption, all_by_day, last_days, GroupBy::day)->Arg(90)->Iterations(100);
BENCHMARK_CAPTURE(consumption, all_by_model, last_days, GroupBy::model)->Arg(90)->Iterations(100);
BENCHMARK_CAPTURE(consumption, all_by_key, last_days, GroupBy::key)
    ->Arg(30)
    ->Arg(90)
    ->Iterations(100);
BENCHMARK_CAPTURE(consumption, all_by_user, last_days, GroupBy::user)
    ->Arg(30)
    ->Arg(90)
    ->Iterations(100);
BENCHMARK_CAPTURE(requests, user, of_user(1), 1)->Iterations(100);
BENCHMARK_CAPTURE(requests, small_user, of_user(77), 1)->Iterations(100);
BENCHMARK_CAPTURE(requests, key, of_key(105), 1)->Iterations(100);
BENCHMARK_CAPTURE(requests, user_without_match, of_user(1, "nothing"), 1)->Iterations(100);
BENCHMARK_CAPTURE(requests, all, of_all("", ""), 1)->Iterations(100);
BENCHMARK_CAPTURE(requests, all_rejected, of_all("rejected", ""), 1)->Iterations(100);
BENCHMARK_CAPTURE(requests, all_without_match, of_all("", "nothing"), 1)->Iterations(100);

}  // namespace
}  // namespace deeppool::governance
