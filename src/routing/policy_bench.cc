// The bar: 50 rules of which none matches (so that all are looked at) within 1 us.
#include <benchmark/benchmark.h>

#include "routing/policy.h"

namespace deeppool::routing {
namespace {

void match_rules(benchmark::State& state) {
  const std::vector<std::string> children = {"model-a", "model-b"};
  std::string yaml = "rules:\n";
  for (int64_t i = 0; i < state.range(0); ++i) {
    yaml += "  - name: r" + std::to_string(i) +
            "\n    condition: {min_input_tokens: 100, max_tool_count: 8, has_reasoning: false, "
            "has_vision: true}\n    targets: [model-a]\n";
  }
  const ReadPolicy read = read_policy(yaml, children);
  Signals signals{.input_tokens = 5'000, .tool_count = 3};
  for (auto _ : state) {
    benchmark::DoNotOptimize(signals);
    benchmark::DoNotOptimize(read.policy.match(signals));
  }
}
BENCHMARK(match_rules)->Arg(5)->Arg(50)->Arg(200);

}  // namespace
}  // namespace deeppool::routing
