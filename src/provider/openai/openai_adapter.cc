#include "provider/openai/openai_adapter.h"

#include "base/text.h"
#include "provider/family/family_change.h"
#include "provider/family/family_rules.h"
#include "provider/request_head.h"

namespace deeppool::provider::openai {
namespace {

std::string_view path_of(llm::Api api) {
  switch (api) {
    case llm::Api::chat_completions:
      return "/chat/completions";
    case llm::Api::completions:
      return "/completions";
    case llm::Api::embeddings:
      return "/embeddings";
  }
  return "";
}

// How a server is told to go on behind an answer's beginning that comes as the last message.
struct ContinuationWords {
  std::string_view in_message;
  std::string_view in_request;
};

// DeepSeek's "chat prefix completion", Kimi's and Qwen's "partial mode"; else the words of vLLM and
// SGLang.
ContinuationWords continuation_words(std::string_view provider_type) {
  if (provider_type == "deepseek") return {R"("prefix":true)", ""};
  if (provider_type == "kimi" || provider_type == "qwen") return {R"("partial":true)", ""};
  return {"", R"(,"continue_final_message":true,"add_generation_prompt":false)"};
}

std::string begun_message(std::string_view text, std::string_view word) {
  std::string message = R"({"role":"assistant","content":)";
  base::append_json_string(message, text);
  if (!word.empty()) message.append(",").append(word);
  return message + "}";
}

}  // namespace

std::string_view output_limit_field(const Endpoint& endpoint, llm::Api api) {
  const bool renamed = endpoint.provider_type == "openai" && api == llm::Api::chat_completions;
  return renamed ? "max_completion_tokens" : "max_tokens";
}

Result<UpstreamRequest> OpenAiAdapter::request(const Asking& asking) const {
  const llm::Api api = asking.view.api;
  UpstreamRequest made;
  llm::Splicing splicing{.model = asking.endpoint.upstream_model,
                         .limit = {output_limit_field(asking.endpoint, api), asking.output_limit}};
  std::string begun;
  if (!asking.answered_text.empty()) {
    const ContinuationWords words = continuation_words(asking.endpoint.provider_type);
    begun = begun_message(asking.answered_text, words.in_message);
    splicing.last_message = begun;
    splicing.members = words.in_request;
  }
  family::Change change = family::change_for(asking);
  change.members += splicing.members;
  splicing.members = change.members;
  splicing.edits = change.edits;
  made.dropped = std::move(change.dropped);
  made.body = llm::splice(asking.view, asking.body.view(), splicing);
  made.head = request_head(asking, {.path = path_of(api),
                                    .key_header = "Authorization: Bearer ",
                                    .more_fields = "",
                                    .content_length = made.body.size()});
  return made;
}

bool OpenAiAdapter::fetches(const Endpoint& endpoint, std::string_view) const {
  return family::rules_for(endpoint.provider_type).fetches_urls;
}

}  // namespace deeppool::provider::openai
