// Whatever a caller sends as a Responses request is refused with a path, or becomes valid JSON of
// the house's shape. Members that we do not know are checked by the house, under the same names.
#include <cstdint>
#include <cstdlib>

#include "llm/openai/fuzz_judge.h"
#include "llm/responses/request.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace deeppool::llm;
  const deeppool::json::PaddedBytes request({reinterpret_cast<const char*>(bytes), size});
  const auto house = responses::to_house(request);
  if (!house || beyond_the_judge(house->body.view())) return 0;
  const auto made = judge(house->body.view());
  if (!made || !made->as_object().at("messages").is_array()) std::abort();
  const std::string repeated = "{" + house->asked.repeated + "\"end\":0}";
  if (!beyond_the_judge(repeated) && !judge(repeated)) std::abort();
  if (repeated.find_first_of("\r\n") != std::string::npos) std::abort();
  return 0;
}
