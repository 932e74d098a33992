// What is spliced for the upstream means what the caller sent, but for model and stream_options.
#include <cstdint>
#include <cstdlib>

#include "llm/openai/fuzz_judge.h"
#include "llm/openai/request.h"

namespace {

using namespace deeppool::llm;

constexpr std::string_view kModel = "up/\"stream\" \\model";

void check(const deeppool::json::PaddedBytes& body, const RequestView& view) {
  const SplicedBody spliced = splice(view, body.view(), {.model = kModel});
  const std::string text = spliced.to_string();
  if (text.size() != spliced.size()) std::abort();
  if (beyond_the_judge(body.view())) return;
  boost::json::object before = judge(body.view()).value().as_object();
  boost::json::object after = judge(text).value().as_object();
  if (before.at("model").as_string() != view.model) std::abort();
  if (after.at("model").as_string() != kModel) std::abort();
  before.erase("model");
  after.erase("model");
  if (view.stream) {
    boost::json::value options = before["stream_options"];
    if (!options.is_object()) options.emplace_object();
    options.as_object()["include_usage"] = true;
    before["stream_options"] = options;
  }
  if (before != after) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const deeppool::json::PaddedBytes body({reinterpret_cast<const char*>(bytes), size});
  for (const Api api : {Api::chat_completions, Api::completions, Api::embeddings}) {
    const auto view = parse_request(api, body);
    if (!view) continue;
    if (view->model.empty() || view->estimated_prompt_tokens() < 0 || view->n < 1) std::abort();
    check(body, *view);
  }
  return 0;
}
