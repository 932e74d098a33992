// A house request asked of an Anthropic endpoint, for tests, benchmarks and fuzz targets.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "llm/openai/request.h"
#include "provider/adapter.h"
#include "provider/anthropic/request.h"

namespace deeppool::provider::anthropic {

class TestAsking {
 public:
  explicit TestAsking(std::string_view house_request)
      : body(house_request), view_(llm::parse_request(llm::Api::chat_completions, body)) {
    if (!view_) return;
    endpoint.provider_type = "anthropic";
    endpoint.host = "api.anthropic.com";
    endpoint.port = 443;
    endpoint.tls = true;
    endpoint.path_prefix = "/v1";
    endpoint.api_key = "sk-ant-1";
    endpoint.upstream_model = view_->model;
  }

  bool valid() const { return view_.ok(); }
  Result<UpstreamRequest> ask() const {
    return make_request({.view = *view_,
                         .body = body,
                         .endpoint = endpoint,
                         .model = model,
                         .output_limit = output_limit,
                         .request_id = "req-1",
                         .traceparent = "",
                         .answered_text = answered},
                        version);
  }
  UpstreamRequest made() const {
    auto asked = ask();
    if (!asked) throw std::runtime_error(asked.error().param + ": " + asked.error().message);
    return *std::move(asked);
  }

  json::PaddedBytes body;
  Endpoint endpoint;
  Model model;
  int64_t output_limit = 0;
  std::string answered;
  ApiVersion version = ApiVersion::v2023_06_01;

 private:
  Result<llm::RequestView> view_;
};

}  // namespace deeppool::provider::anthropic
