#include <benchmark/benchmark.h>

#include "ratelimit/limiter.h"

namespace deeppool::ratelimit {
namespace {

constexpr Limits kLimits{.rpm = 4'000'000'000, .tpm = 1'000'000'000'000'000};

void BM_AdmitSettle(benchmark::State& state) {
  static const base::SystemClock clock;
  static Limiter limiter(clock);
  const int64_t keys = state.range(0);
  uint64_t next = static_cast<uint64_t>(state.thread_index());
  for (auto _ : state) {
    next = next * 6364136223846793005u + 1442695040888963407u;
    const base::ApiKeyId key{static_cast<int64_t>((next >> 33) % static_cast<uint64_t>(keys)) + 1};
    auto permit = limiter.admit(key, kLimits, 500);
    permit->settle(321);
  }
}
BENCHMARK(BM_AdmitSettle)->Arg(1)->Arg(1000)->Arg(1'000'000)->ArgName("keys");
BENCHMARK(BM_AdmitSettle)->Arg(1000)->ArgName("keys")->Threads(2);

void BM_Unlimited(benchmark::State& state) {
  const base::SystemClock clock;
  Limiter limiter(clock);
  for (auto _ : state) limiter.admit(base::ApiKeyId{1}, {}, 500)->settle(321);
}
BENCHMARK(BM_Unlimited);

}  // namespace
}  // namespace deeppool::ratelimit
