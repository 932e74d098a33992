// The house dialect itself: OpenAI and the many servers that speak as it does. The caller's body is
// spliced, its answers pass as they come. Serves every API of the house.
#pragma once

#include "provider/adapter.h"

namespace deeppool::provider::openai {

class OpenAiAdapter : public Adapter {
 public:
  Result<UpstreamRequest> request(const Asking& asking) const override;
  bool fetches(const Endpoint& endpoint, std::string_view url) const override;
};

// The member of a request body by which `endpoint` takes a bound on the answer. OpenAI's newer
// models refuse the old name for chats, which is the only one that others know.
std::string_view output_limit_field(const Endpoint& endpoint, llm::Api api);

}  // namespace deeppool::provider::openai
