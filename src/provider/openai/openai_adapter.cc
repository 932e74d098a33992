#include "provider/openai/openai_adapter.h"

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

}  // namespace

std::string_view output_limit_field(const Endpoint& endpoint, llm::Api api) {
  const bool renamed = endpoint.provider_type == "openai" && api == llm::Api::chat_completions;
  return renamed ? "max_completion_tokens" : "max_tokens";
}

Result<UpstreamRequest> OpenAiAdapter::request(const Asking& asking) const {
  const llm::Api api = asking.view.api;
  UpstreamRequest made;
  made.body =
      llm::splice(asking.view, asking.body.view(), asking.endpoint.upstream_model,
                  {output_limit_field(asking.endpoint, api), asking.injected_output_tokens});
  made.head = request_head(asking, {.path = path_of(api),
                                    .key_header = "Authorization: Bearer ",
                                    .more_fields = "",
                                    .content_length = made.body.size()});
  return made;
}

}  // namespace deeppool::provider::openai
