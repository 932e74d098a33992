// What an event of a stream costs on its way into a caller's other protocol, behind ChunkRewriter.
#include <benchmark/benchmark.h>

#include "llm/anthropic/encoder.h"
#include "llm/responses/encoder.h"

namespace deeppool::llm {
namespace {

const json::PaddedBytes& chunk() {
  static const json::PaddedBytes text(
      R"({"id":"chatcmpl-9WZ3Q0Jr4ZlqOeXyT1bA","object":"chat.completion.chunk","created":1795456800,)"
      R"("model":"public-model","service_tier":"default","system_fingerprint":"fp_1","choices":[)"
      R"({"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}]})");
  return text;
}

void run(benchmark::State& state, AnswerEncoder& encoder) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    encoder.chunk(chunk().view(), out);
    benchmark::DoNotOptimize(out.data());
  }
}

void BM_MessagesText(benchmark::State& state) {
  anthropic::MessagesEncoder encoder("0123456789abcdef", 0);
  run(state, encoder);
}
BENCHMARK(BM_MessagesText);

void BM_ResponsesText(benchmark::State& state) {
  responses::ResponsesEncoder encoder("0123456789abcdef", {});
  run(state, encoder);
}
BENCHMARK(BM_ResponsesText);

}  // namespace
}  // namespace deeppool::llm
