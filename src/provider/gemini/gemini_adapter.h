// Google's Gemini API: generateContent and its stream over the house dialect. Chat completions
// only. Base URLs end with the version: https://generativelanguage.googleapis.com/v1beta.
#pragma once

#include "base/clock.h"
#include "provider/adapter.h"

namespace deeppool::provider::gemini {

class GeminiAdapter : public Adapter {
 public:
  // `clock`: for the `created` of answers; outlives the adapter.
  explicit GeminiAdapter(const base::Clock& clock) : clock_(clock) {}

  Result<UpstreamRequest> request(const Asking& asking) const override;
  std::unique_ptr<StreamTranslator> translator(const llm::RequestView& view) const override;
  bool fetches(const Endpoint& endpoint, std::string_view url) const override;
  Result<json::PaddedBytes> house_answer(const llm::RequestView& view,
                                         json::PaddedBytes body) const override;

 private:
  const base::Clock& clock_;
};

}  // namespace deeppool::provider::gemini
