#include "portalapi/explain.h"

#include "json/padded.h"
#include "llm/openai/request.h"
#include "portalapi/limits.h"
#include "webapi/handler.h"
#include "webapi/price_json.h"

namespace deeppool::portalapi {
namespace {

using webapi::Answer;
using webapi::Request;

boost::json::object features_json(const routing::Signals& s) {
  return {{"input_tokens", s.input_tokens}, {"has_tools", s.tool_count > 0},
          {"tool_count", s.tool_count},     {"has_vision", s.has_vision},
          {"image_count", s.image_count},   {"has_reasoning", s.has_reasoning}};
}

// Of a prompt of this length.
boost::json::value price_json(const governance::Price& price, int64_t prompt_tokens) {
  const governance::PriceTier* tier = governance::tier_for(price.tiers, prompt_tokens);
  if (tier == nullptr) return boost::json::object{{"input_price", "0"}, {"output_price", "0"}};
  return webapi::price_tiers_array({*tier}, governance::PriceSpelling::complete).at(0);
}

boost::json::array candidates_json(const routing::Plan& plan, const Request& request,
                                   int64_t prompt_tokens) {
  boost::json::array out;
  for (const routing::Candidate& c : plan.candidates) {
    boost::json::object item = {{"model", c.model->name},
                                {"provider_type", c.endpoint->provider_type},
                                {"reason", routing::reason(plan, c)},
                                {"price", price_json(c.model->price, prompt_tokens)}};
    // As in usage: which upstream answers is for administrators.
    if (request.user.admin) item["endpoint"] = c.endpoint->name;
    out.push_back(std::move(item));
  }
  return out;
}

boost::json::array passed_json(const routing::Plan& plan) {
  boost::json::array out;
  for (const routing::PassedOver& p : plan.passed_over) {
    out.push_back(boost::json::object{{"model", p.name}, {"reason", routing::reason(plan, p)}});
  }
  return out;
}

// The policy in force, and why it is not the one that is stored.
boost::json::value policy_json(const routing::Routes& routes, const provider::Model& model) {
  const routing::Hybrid* hybrid = routes.hybrid(model);
  if (hybrid == nullptr) return nullptr;
  const bool own = !model.routing_policy.empty() && hybrid->fault.empty();
  return {{"load_balance", routing::to_string(hybrid->policy.load_balance)},
          {"source", own ? "own" : "default"},
          {"fault", hybrid->fault}};
}

Answer explain(const Portal& p, const Request& request) {
  const json::PaddedBytes body{std::string_view(request.body)};
  DP_TRY(llm::RequestView view, llm::parse_request(llm::Api::chat_completions, body));
  view.model = request.query("model").value_or(view.model);
  const auto routes = p.router.current();
  const provider::Model* model = routes->catalog()->find(view.model, request.user.id);
  if (model == nullptr) return Error::invalid("model", "There is no model \"" + view.model + "\".");
  const routing::Plan plan = routes->plan(
      {.model = *model, .view = view, .body = body.view(), .now = p.services.clock.now()},
      p.services.random);
  const routing::Signals signals = routing::signals_of(view);
  return boost::json::value{
      {"model", model->name},
      {"vendor_type", model->vendor_type},
      {"features", features_json(signals)},
      {"policy", policy_json(*routes, *model)},
      {"rule", plan.rule == nullptr ? boost::json::value() : boost::json::value(plan.rule->name)},
      {"candidates", candidates_json(plan, request, signals.input_tokens)},
      {"passed_over", passed_json(plan)}};
}

}  // namespace

std::vector<http::Route> explain_routes(const Portal& p) {
  const auto at = webapi::blocking_with(p.services, p);
  return {{http::Method::post, "/api/v1/routing/explain", http::Access::user, kMaxExplainedBody,
           at(explain)}};
}

}  // namespace deeppool::portalapi
