#include "provider/gemini/gemini_adapter.h"

#include "base/text.h"
#include "provider/gemini/media.h"
#include "provider/gemini/request.h"
#include "provider/gemini/response.h"
#include "provider/gemini/stream.h"
#include "provider/request_head.h"

namespace deeppool::provider::gemini {
namespace {

std::string path_of(const Endpoint& endpoint, bool stream) {
  // "tunedModels/x" says its own collection.
  std::string path;
  const bool own_collection = endpoint.upstream_model.find('/') != std::string::npos;
  if (!own_collection) path = "/models";
  for (const std::string_view step : base::split(endpoint.upstream_model, '/')) {
    path += '/';
    path += base::percent_encode(step);
  }
  return path += stream ? ":streamGenerateContent?alt=sse" : ":generateContent";
}

}  // namespace

Result<UpstreamRequest> GeminiAdapter::request(const Asking& asking) const {
  if (asking.view.api != llm::Api::chat_completions) {
    return Error::invalid("model",
                          "This model serves chat completions only. Choose another model for this "
                          "API.");
  }
  DP_TRY(RequestText text, write_request(asking));
  UpstreamRequest made;
  made.dropped = std::move(text.dropped);
  made.body.insert(0, made.body.own(std::move(text.body)));
  made.body.finish();
  const std::string path = path_of(asking.endpoint, asking.view.stream);
  made.head = request_head(asking, {.path = path,
                                    .key_header = "x-goog-api-key: ",
                                    .more_fields = "",
                                    .content_length = made.body.size()});
  return made;
}

std::unique_ptr<StreamTranslator> GeminiAdapter::translator(const llm::RequestView& view) const {
  return std::make_unique<GeminiStream>(view, base::unix_seconds(clock_.wall()));
}

bool GeminiAdapter::fetches(const Endpoint&, std::string_view url) const {
  return google_fetches(url);
}

Result<json::PaddedBytes> GeminiAdapter::house_answer(const llm::RequestView&,
                                                      json::PaddedBytes body) const {
  return whole_answer(body, base::unix_seconds(clock_.wall()));
}

}  // namespace deeppool::provider::gemini
