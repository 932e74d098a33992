// Whatever a caller may ask, what goes to a Gemini upstream is valid JSON.
#include <cstdint>
#include <cstdlib>

#include "base/clock.h"
#include "json/reader.h"
#include "provider/gemini/gemini_adapter.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace deeppool;
  const json::PaddedBytes body(std::string_view(reinterpret_cast<const char*>(bytes), size));
  const auto view = llm::parse_request(llm::Api::chat_completions, body);
  if (!view) return 0;
  const base::SystemClock clock;
  const provider::gemini::GeminiAdapter adapter(clock);
  provider::Endpoint endpoint;
  endpoint.upstream_model = view->model;
  const provider::Model model;
  const auto made = adapter.request({.view = *view,
                                     .body = body,
                                     .endpoint = endpoint,
                                     .model = model,
                                     .output_limit = 9,
                                     .request_id = "r",
                                     .traceparent = {},
                                     .answered_text = "so far"});
  if (!made) return 0;
  const json::PaddedBytes text(made->body.to_string());
  json::Reader reader(text.view());
  reader.skip();
  // What was nested as deeply as can be is nested deeper now.
  if (!reader.finish() && reader.error_reason() != "nested too deeply") std::abort();
  return 0;
}
