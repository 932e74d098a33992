// A rewritten answer is valid JSON that differs from the upstream's only in model and usage.
#include <cstdint>
#include <cstdlib>

#include "llm/openai/fuzz_judge.h"
#include "llm/openai/response.h"
#include "llm/tokenizer/test_tokenizers.h"

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
    for (const char* member : {"model", "usage"}) {
      before.erase(member);
      after.erase(member);
    }
    if (before != after) std::abort();
  }
  return 0;
}
