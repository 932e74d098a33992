#include "apps/platform/routes.h"

#include "gateway/chat_pipeline.h"
#include "gateway/messages.h"
#include "gateway/models_endpoint.h"
#include "gateway/openai_error.h"
#include "gateway/responses.h"
#include "webapi/envelope.h"
#include "webapi/session_check.h"

namespace deeppool::platform {
namespace {

using http::Access;
using http::Exchange;
using http::Method;

http::Handler completion(gateway::Parts& parts, const gateway::Protocol& protocol) {
  return [&parts, &protocol](Exchange& x) { return gateway::serve_completion(parts, x, protocol); };
}

}  // namespace

std::vector<http::Route> gateway_routes(gateway::Parts& parts, size_t body_limit) {
  const http::Handler chat = completion(parts, gateway::kChat);
  const http::Handler text = completion(parts, gateway::kCompletions);
  const http::Handler embeddings = completion(parts, gateway::kEmbeddings);
  const http::Handler messages = completion(parts, gateway::kMessages);
  const http::Handler responses = completion(parts, gateway::kResponses);
  const http::Handler count = [&parts](Exchange& x) {
    return gateway::count_message_tokens(parts, x);
  };
  const http::Handler models = [&parts](Exchange& x) { return gateway::list_models(parts, x); };
  const http::Handler model = [&parts](Exchange& x) { return gateway::get_model(parts, x); };
  std::vector<http::Route> routes;
  // Many tools are given a base URL without /v1.
  for (const std::string prefix : {"/v1", ""}) {
    routes.push_back(
        {Method::post, prefix + "/chat/completions", Access::api_key, body_limit, chat});
    routes.push_back({Method::post, prefix + "/completions", Access::api_key, body_limit, text});
    routes.push_back(
        {Method::post, prefix + "/embeddings", Access::api_key, body_limit, embeddings});
    routes.push_back({Method::post, prefix + "/responses", Access::api_key, body_limit, responses});
    routes.push_back({Method::post, prefix + "/messages", Access::api_key, body_limit, messages});
    routes.push_back(
        {Method::post, prefix + "/messages/count_tokens", Access::api_key, body_limit, count});
    routes.push_back({Method::get, prefix + "/models", Access::api_key, 0, models});
    routes.push_back({Method::get, prefix + "/models/{id}", Access::api_key, 0, model});
  }
  return routes;
}

http::ServerHooks shared_hooks(const webapi::Services& services) {
  http::ServerHooks hooks;
  hooks.answer_error = [](Exchange& x, Error error) {
    if (x.path().starts_with("/api/")) return webapi::answer_error(x, std::move(error));
    return gateway::speaks_anthropic(x) ? gateway::answer_anthropic_error(x, std::move(error))
                                        : gateway::answer_openai_error(x, std::move(error));
  };
  hooks.authorize = [&services](Exchange& x, Access access) {
    return webapi::authorize(services, x, access);
  };
  return hooks;
}

}  // namespace deeppool::platform
