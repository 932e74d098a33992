#include "provider/anthropic/anthropic_adapter.h"

#include "provider/anthropic/request.h"
#include "provider/anthropic/response.h"
#include "provider/anthropic/stream.h"

namespace deeppool::provider::anthropic {

// The endpoint says which; administrators are held to those that are known.
Result<UpstreamRequest> AnthropicAdapter::request(const Asking& asking) const {
  const bool newer = asking.endpoint.api_version == "2026-10-21";
  return make_request(asking, newer ? ApiVersion::v2026_10_21 : ApiVersion::v2023_06_01);
}

std::unique_ptr<StreamTranslator> AnthropicAdapter::translator(const llm::RequestView&) const {
  return std::make_unique<Stream>(base::unix_seconds(clock_.wall()));
}

Result<json::PaddedBytes> AnthropicAdapter::house_answer(const llm::RequestView&,
                                                         json::PaddedBytes body) const {
  return make_house_answer(std::move(body), base::unix_seconds(clock_.wall()));
}

}  // namespace deeppool::provider::anthropic
