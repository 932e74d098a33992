// A translated stream costs at most 1.5 times an untranslated one. Each row is what a stream's loop
// does for a vendor's text event: find it in the bytes, translate it, rewrite it for the caller;
// the time is that of one event.
#include <benchmark/benchmark.h>

#include <string>

#include "base/clock.h"
#include "http/sse.h"
#include "llm/openai/chunk.h"
#include "llm/tokenizer/test_tokenizers.h"
#include "provider/adapter.h"

namespace deeppool::provider {
namespace {

constexpr size_t kMaxEventBytes = size_t{1} << 20;

constexpr std::string_view kHouseEvent =
    R"(data: {"id":"chatcmpl-AbCdEfGhIjKlMnOpQrStUvWx","object":"chat.completion.chunk",)"
    R"("created":1795430000,"model":"gpt-5-2026","service_tier":"default",)"
    R"("system_fingerprint":"fp_44709d6fcb","choices":[{"index":0,"delta":{"content":" token"},)"
    R"("logprobs":null,"finish_reason":null}],"usage":null})"
    "\n\n";
constexpr std::string_view kGeminiEvent =
    R"(data: {"candidates":[{"content":{"parts":[{"text":" token"}],"role":"model"},"index":0}],)"
    R"("usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":2,"totalTokenCount":10,)"
    R"("promptTokensDetails":[{"modality":"TEXT","tokenCount":8}]},)"
    R"("modelVersion":"gemini-2.5-flash","responseId":"mAItaLegLPrAqtsP6vCGkAs"})"
    "\n\n";

constexpr std::string_view kAnthropicOpening =
    "event: message_start\n"
    R"(data: {"type":"message_start","message":{"id":"msg_01AbCdEfGhIjKlMnOpQrStUv","type":)"
    R"("message","role":"assistant","model":"claude-opus-4-6","content":[],"usage":)"
    R"({"input_tokens":8,"output_tokens":1}}})"
    "\n\nevent: content_block_start\n"
    R"(data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})"
    "\n\n";
constexpr std::string_view kAnthropicEvent =
    "event: content_block_delta\n"
    R"(data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta",)"
    R"("text":" token"}})"
    "\n\n";

// What a stream sends, and what of it is sent again and again.
struct Traffic {
  std::string_view opening;
  std::string_view event;
};

void relay(benchmark::State& state, const char* provider_type, Traffic traffic) {
  const base::SystemClock clock;
  const Adapters adapters(clock);
  Endpoint endpoint;
  endpoint.provider_type = provider_type;
  const llm::RequestView view;
  const auto translator = adapters.of(endpoint).translator(view);
  llm::ChunkRewriter chunks({llm::Api::chat_completions, "public-model", false,
                             llm::test_tokenizers().for_model("gpt-4o")});
  http::SseParser parser(kMaxEventBytes);
  HouseEvents house;
  std::string out;
  const auto read = [&](const json::PaddedBytes& bytes) {
    out.clear();
    parser.feed(bytes.view());
    http::SseEvent event;
    while (*parser.next(event)) {
      if (!translator) {
        benchmark::DoNotOptimize(chunks.feed(event.data, out));
        continue;
      }
      house.clear();
      benchmark::DoNotOptimize(translator->feed(event, house));
      for (size_t i = 0; i < house.size(); ++i) chunks.feed(house[i], out);
    }
  };
  read(json::PaddedBytes(traffic.opening));
  const json::PaddedBytes bytes(traffic.event);
  for (auto _ : state) read(bytes);
  state.SetLabel(std::to_string(traffic.event.size()) + " bytes");
}
BENCHMARK_CAPTURE(relay, untranslated, "openai", Traffic{"", kHouseEvent});
BENCHMARK_CAPTURE(relay, anthropic, "anthropic", Traffic{kAnthropicOpening, kAnthropicEvent});
BENCHMARK_CAPTURE(relay, gemini, "gemini", Traffic{"", kGeminiEvent});

}  // namespace
}  // namespace deeppool::provider
