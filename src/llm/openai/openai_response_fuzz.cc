// A rewritten answer is valid JSON that differs from the upstream's only in model and usage.
#include <cstdint>
#include <cstdlib>

#include "llm/openai/fuzz_judge.h"
#include "llm/openai/response.h"
#include "llm/tokenizer/test_tokenizers.h"

namespace {

// Which is put under the name that most vendors use.
void strip_reasoning(boost::json::object& answer) {
  const auto choices = answer.find("choices");
  if (choices == answer.end() || !choices->value().is_array()) return;
  for (boost::json::value& choice : choices->value().as_array()) {
    if (!choice.is_object() || !choice.as_object().contains("message")) continue;
    boost::json::value& message = choice.as_object().at("message");
    if (!message.is_object()) continue;
    for (const char* name : {"reasoning", "reasoning_content"}) message.as_object().erase(name);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace deeppool::llm;
  const deeppool::json::PaddedBytes body({reinterpret_cast<const char*>(bytes), size});
  const Usage fallback{.prompt_tokens = 3, .completion_tokens = 2};
  for (const Api api : {Api::chat_completions, Api::embeddings}) {
    const auto made = rewrite_response(api, body, "pub\"lic", &fallback,
                                       [](const Usage&) { return std::string_view("0.5"); });
    if (!made || made->error) continue;
    const Usage usage = estimate_usage(api, body, 1, test_tokenizers().for_model("gpt-4o"));
    if (usage.reasoning_tokens > usage.completion_tokens) std::abort();
    const std::string text = made->body.to_string();
    if (text.size() != made->body.size()) std::abort();
    if (beyond_the_judge(body.view())) continue;
    boost::json::object before = judge(body.view()).value().as_object();
    boost::json::object after = judge(text).value().as_object();
    if (after.at("model").as_string() != "pub\"lic") std::abort();
    if (!after.at("usage").as_object().at("prompt_tokens").is_number()) std::abort();
    if (after.at("usage").as_object().at("cost") != 0.5) std::abort();
    for (boost::json::object* whole : {&before, &after}) {
      for (const char* member : {"model", "usage"}) whole->erase(member);
      strip_reasoning(*whole);
    }
    if (before != after) std::abort();
  }
  return 0;
}
