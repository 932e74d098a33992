// What counting costs the hot path: the whole lot of one model call, with and without a kept
// handle.
#include <benchmark/benchmark.h>

#include "metrics/metrics.h"

namespace deeppool::metrics {
namespace {

void observe(ModelSeries& s) {
  s.by_status_class[2].add();
  s.duration.observe(std::chrono::milliseconds(812));
  s.first_token.observe(std::chrono::milliseconds(90));
  s.count_tokens(TokenType::input, 900);
  s.count_tokens(TokenType::output, 300);
}

void BM_KeptHandle(benchmark::State& state) {
  const base::SystemClock clock;
  Metrics metrics(1, "1", clock);
  ModelSeries& series = metrics.loop(0).models.with({"chat", "gpt-large", "openai"});
  for (auto _ : state) observe(series);
}
BENCHMARK(BM_KeptHandle);

void BM_Lookup(benchmark::State& state) {
  const base::SystemClock clock;
  Metrics metrics(1, "1", clock);
  for (int i = 0; i < 100; ++i) {
    metrics.loop(0).models.with({"chat", "model-" + std::to_string(i), "openai"});
  }
  for (auto _ : state) observe(metrics.loop(0).models.with({"chat", "model-42", "openai"}));
}
BENCHMARK(BM_Lookup);

void BM_Scrape256Series(benchmark::State& state) {
  const base::SystemClock clock;
  Metrics metrics(1, "1", clock);
  for (int i = 0; i < 256; ++i) {
    observe(metrics.loop(0).models.with({"chat", "model-" + std::to_string(i), "openai"}));
  }
  for (auto _ : state) benchmark::DoNotOptimize(metrics.scrape());
}
BENCHMARK(BM_Scrape256Series);

}  // namespace
}  // namespace deeppool::metrics
