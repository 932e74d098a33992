// The dialect of Anthropic's Messages API, and of the servers that speak it.
#pragma once

#include "base/clock.h"
#include "provider/adapter.h"

namespace deeppool::provider::anthropic {

class AnthropicAdapter : public Adapter {
 public:
  // `clock` dates the answers, for Anthropic does not.
  explicit AnthropicAdapter(const base::Clock& clock) : clock_(clock) {}

  Result<UpstreamRequest> request(const Asking& asking) const override;
  std::unique_ptr<StreamTranslator> translator(const llm::RequestView& view) const override;
  Result<json::PaddedBytes> house_answer(const llm::RequestView& view,
                                         json::PaddedBytes body) const override;

 private:
  const base::Clock& clock_;
};

}  // namespace deeppool::provider::anthropic
