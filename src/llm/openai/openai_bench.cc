// The budgets: parse and splice a 1 KB request within 2 us, one 250-byte event within 0.5 us.
#include <benchmark/benchmark.h>

#include <string>

#include "llm/openai/chunk.h"
#include "llm/openai/request.h"
#include "llm/openai/response.h"
#include "llm/tokenizer/test_tokenizers.h"

namespace deeppool::llm {
namespace {

using json::PaddedBytes;

// A request with a system prompt, a short dialogue and options, `size` bytes long.
PaddedBytes request_of(size_t size) {
  const std::string head =
      R"({"model":"public-model","stream":true,"temperature":0.7,"max_tokens":512,)"
      R"("messages":[{"role":"system","content":"You are a helpful assistant.\nBe brief."},)"
      R"({"role":"user","content":"What is the capital of France?"},)"
      R"({"role":"assistant","content":"It is Paris."},{"role":"user","content":")";
  const std::string tail = R"("}],"stream_options":{"include_usage":true},"user":"u-1234"})";
  std::string text;
  while (head.size() + text.size() + tail.size() < size) {
    text += "And tell me more about its history,\\nplease. ";
  }
  return PaddedBytes(head + text + tail);
}

void parse_and_splice(benchmark::State& state) {
  const PaddedBytes body = request_of(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    const auto view = parse_request(Api::chat_completions, body);
    const SplicedBody spliced = splice(*view, body.view(), {.model = "vendor/upstream-model"});
    benchmark::DoNotOptimize(spliced.size());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(body.size()));
}
BENCHMARK(parse_and_splice)->Arg(1024)->Arg(4096)->Arg(65536);

void feed(benchmark::State& state, std::string_view prefix) {
  const std::string tail =
      R"(","object":"chat.completion.chunk","created":1795430000,"model":"upstream-model-2026",)"
      R"("service_tier":"default","system_fingerprint":"fp_44709d6fcb","choices":[{"index":0,)"
      R"("delta":{"content":" token"},"logprobs":null,"finish_reason":null}],"usage":null})";
  const PaddedBytes one(R"({"id":"chatcmpl-A)" + std::string(prefix) + tail);
  const PaddedBytes two(R"({"id":"chatcmpl-B)" + std::string(prefix) + tail);
  const bool same = prefix.empty();  // else every event has an id of its own
  ChunkRewriter stream(
      {Api::chat_completions, "public-model", false, test_tokenizers().for_model("gpt-4o")});
  std::string out;
  bool turn = false;
  for (auto _ : state) {
    out.clear();
    turn = !turn;
    benchmark::DoNotOptimize(stream.feed(same || turn ? one.view() : two.view(), out));
  }
  state.SetLabel(std::to_string(one.size()) + " bytes");
}
BENCHMARK_CAPTURE(feed, same_prefix, std::string_view());
BENCHMARK_CAPTURE(feed, other_prefix, std::string_view("x"));

void rewrite(benchmark::State& state) {
  const PaddedBytes body(
      R"({"id":"chatcmpl-123","object":"chat.completion","created":1795430000,)"
      R"("model":"upstream-model",)"
      R"("choices":[{"index":0,"message":{"role":"assistant","content":")" +
      std::string(400, 'x') +
      R"("},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":9,)"
      R"("completion_tokens":12,)"
      R"("total_tokens":21,"prompt_tokens_details":{"cached_tokens":0},)"
      R"("completion_tokens_details":{"reasoning_tokens":0}}})");
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        rewrite_response(Api::chat_completions, body, "public-model")->body.size());
  }
  state.SetLabel(std::to_string(body.size()) + " bytes");
}
BENCHMARK(rewrite);

}  // namespace
}  // namespace deeppool::llm
