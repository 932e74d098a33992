// Whatever chat request we accept, what is made of it for Anthropic is JSON and keeps its rules.
#include <cstdint>
#include <cstdlib>

#include "llm/openai/fuzz_judge.h"
#include "provider/anthropic/message_rules.h"
#include "provider/anthropic/test_asking.h"

namespace {

using namespace deeppool::provider::anthropic;

void check(TestAsking& asking, ApiVersion version) {
  asking.version = version;
  const auto made = asking.ask();
  if (!made) {
    if (made.error().param.empty()) std::abort();
    return;
  }
  const std::string body = made->body.to_string();
  if (made->head.view().find("\r\n\r\n") != made->head.size() - 4) std::abort();
  if (deeppool::llm::beyond_the_judge(body)) return;
  const auto parsed = deeppool::llm::judge(body);
  if (!parsed || !MessageRules::broken_by(parsed->as_object()).empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  TestAsking asking({reinterpret_cast<const char*>(bytes), size});
  if (!asking.valid()) return 0;
  check(asking, ApiVersion::v2023_06_01);
  asking.endpoint.upstream_model = "claude-opus-4-6";
  check(asking, ApiVersion::v2023_06_01);
  asking.endpoint.upstream_model = "claude-sonnet-4-5";
  asking.answered = "So far";
  check(asking, ApiVersion::v2026_10_21);
  return 0;
}
