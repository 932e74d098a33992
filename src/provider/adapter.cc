#include "provider/adapter.h"

#include "provider/anthropic/anthropic_adapter.h"
#include "provider/gemini/gemini_adapter.h"
#include "provider/openai/openai_adapter.h"

namespace deeppool::provider {

void HouseEvents::add(std::string_view json) {
  bytes_.append(json);
  end();
}

void HouseEvents::end() {
  ends_.push_back(static_cast<uint32_t>(bytes_.size()));
}

void HouseEvents::clear() {
  bytes_.clear();
  ends_.clear();
}

std::string_view HouseEvents::operator[](size_t i) const {
  const uint32_t begin = i == 0 ? 0 : ends_[i - 1];
  return bytes_.view().substr(begin, ends_[i] - begin);
}

std::unique_ptr<StreamTranslator> Adapter::translator(const llm::RequestView&) const {
  return nullptr;
}

bool Adapter::fetches(const Endpoint&, std::string_view) const {
  return true;
}

Result<json::PaddedBytes> Adapter::house_answer(const llm::RequestView&,
                                                json::PaddedBytes body) const {
  return body;
}

Adapters::Adapters(const base::Clock& clock) {
  rows_.push_back({"custom", std::make_unique<openai::OpenAiAdapter>()});
  rows_.push_back({"anthropic", std::make_unique<anthropic::AnthropicAdapter>(clock)});
  rows_.push_back({"gemini", std::make_unique<gemini::GeminiAdapter>(clock)});
}

Adapters::~Adapters() = default;

const Adapter& Adapters::of(const Endpoint& endpoint) const {
  for (const Row& row : rows_) {
    if (row.provider_type == endpoint.provider_type) return *row.adapter;
  }
  return *rows_.front().adapter;
}

}  // namespace deeppool::provider
