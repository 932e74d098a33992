// Whatever a Gemini upstream sends, as a stream (events separated by a NUL) or whole, what comes
// out is valid JSON on one line.
#include <cstdint>
#include <cstdlib>

#include "base/clock.h"
#include "json/reader.h"
#include "provider/gemini/gemini_adapter.h"

namespace {

using namespace deeppool;

void check(std::string_view json) {
  const json::PaddedBytes text(json);
  json::Reader reader(text.view());
  if (reader.peek() != json::Kind::object) std::abort();
  reader.skip();
  // What was nested as deeply as can be is nested deeper now.
  const bool deeper = reader.error_reason() == "nested too deeply";
  if (!reader.finish() && !deeper) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const base::SystemClock clock;
  const provider::gemini::GeminiAdapter adapter(clock);
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  llm::RequestView view;
  const auto translator = adapter.translator(view);
  provider::HouseEvents events;
  for (std::string_view rest = input;;) {
    const size_t end = rest.find('\0');
    const json::PaddedBytes event(rest.substr(0, end));
    events.clear();
    const auto verdict = translator->feed({"", event.view()}, events);
    if (verdict == provider::StreamTranslator::Verdict::malformed && events.size() > 0)
      std::abort();
    for (size_t i = 0; i < events.size(); ++i) {
      check(events[i]);
      if (events[i].find_first_of("\r\n") != std::string_view::npos) std::abort();
    }
    // Nobody listens to what comes behind a malformed event.
    if (verdict == provider::StreamTranslator::Verdict::malformed) break;
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  if (auto whole = adapter.house_answer(view, json::PaddedBytes(input))) check(whole->view());
  return 0;
}
