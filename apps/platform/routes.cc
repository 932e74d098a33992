#include "apps/platform/routes.h"

#include "gateway/chat_pipeline.h"
#include "gateway/limits.h"
#include "gateway/models_endpoint.h"
#include "gateway/openai_error.h"

namespace deeppool::platform {
namespace {

using http::Access;
using http::Exchange;
using http::Method;

http::Handler completion(gateway::Parts& parts, llm::Api api) {
  return [&parts, api](Exchange& x) { return gateway::serve_completion(parts, x, api); };
}

}  // namespace

std::vector<http::Route> gateway_routes(gateway::Parts& parts) {
  const http::Handler chat = completion(parts, llm::Api::chat_completions);
  const http::Handler text = completion(parts, llm::Api::completions);
  const http::Handler embeddings = completion(parts, llm::Api::embeddings);
  const http::Handler models = [&parts](Exchange& x) { return gateway::list_models(parts, x); };
  const http::Handler model = [&parts](Exchange& x) { return gateway::get_model(parts, x); };
  constexpr size_t body = gateway::kMaxRequestBytes;
  std::vector<http::Route> routes;
  // Many tools are given a base URL without /v1.
  for (const std::string prefix : {"/v1", ""}) {
    routes.push_back({Method::post, prefix + "/chat/completions", Access::api_key, body, chat});
    routes.push_back({Method::post, prefix + "/completions", Access::api_key, body, text});
    routes.push_back({Method::post, prefix + "/embeddings", Access::api_key, body, embeddings});
    routes.push_back({Method::get, prefix + "/models", Access::api_key, 0, models});
    routes.push_back({Method::get, prefix + "/models/{id}", Access::api_key, 0, model});
  }
  return routes;
}

http::ServerHooks server_hooks(const base::Clock& clock, base::Random& random) {
  http::ServerHooks hooks;
  hooks.answer_error = gateway::answer_openai_error;
  hooks.authorize = [](Exchange&, Access) -> Task<Result<void>> { co_return Result<void>(); };
  hooks.before = [&clock, &random](Exchange& x) -> Task<bool> {
    x.id = base::RequestId::make(clock, random);
    x.trace = http::TraceContext::from_header(x.head.headers.find("traceparent"), random);
    x.add_header("x-request-id", x.id.to_string());
    co_return false;
  };
  hooks.after = [](const Exchange&, const http::Route*) {};
  return hooks;
}

}  // namespace deeppool::platform
