// Whatever a caller sends as a Messages request is refused with a path, or becomes a house request
// that the pipeline reads.
#include <cstdint>
#include <cstdlib>

#include "llm/anthropic/request.h"
#include "llm/openai/fuzz_judge.h"
#include "llm/openai/request.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace deeppool::llm;
  const deeppool::json::PaddedBytes request({reinterpret_cast<const char*>(bytes), size});
  for (const auto purpose : {anthropic::Purpose::answer, anthropic::Purpose::count}) {
    const auto house = anthropic::to_house(request, purpose, "a,b");
    if (!house || beyond_the_judge(house->body.view())) continue;
    if (!judge(house->body.view())) std::abort();
    const auto view = parse_request(Api::chat_completions, house->body);
    // Deeper by a level or two than the request was; a model's name is not looked at before.
    const bool allowed = view || view.error().param == "model" ||
                         view.error().message.find("deep") != std::string::npos ||
                         view.error().message.find("out of range") != std::string::npos;
    if (!allowed) std::abort();
  }
  return 0;
}
