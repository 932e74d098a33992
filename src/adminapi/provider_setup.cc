#include "adminapi/provider_setup.h"

#include "adminapi/endpoints.h"
#include "adminapi/model_import.h"
#include "provider/live_endpoint.h"
#include "setup/known_providers.h"
#include "webapi/envelope.h"
#include "webapi/fields.h"
#include "webapi/handler.h"
#include "webapi/limits.h"

namespace deeppool::adminapi {
namespace {

namespace bj = boost::json;
namespace endpoints = provider::endpoints;
using http::Access;
using http::Exchange;
using http::Method;
using webapi::Answer;
using webapi::Request;
using webapi::Services;

// ---- known providers

bj::value text_or_null(std::string_view text) {
  return text.empty() ? bj::value() : bj::value(text);
}

bj::value number_or_null(int64_t number) {
  return number == 0 ? bj::value() : bj::value(number);
}

bj::array prices_json(const setup::KnownModel& model) {
  bj::array tiers;
  for (const setup::PublishedPrice& price : model.prices) {
    tiers.push_back(bj::object{{"max_input_tokens", price.max_input_tokens},
                               {"input_price", price.input},
                               {"output_price", price.output},
                               {"cached_price", text_or_null(price.cached)},
                               {"cache_write_price", text_or_null(price.cache_write)}});
  }
  return tiers;
}

bj::object model_json(const setup::KnownModel& model) {
  return {{"id", model.id},
          {"max_context_length", number_or_null(model.context)},
          {"max_output_tokens", number_or_null(model.max_output)},
          {"supports_reasoning", model.reasoning},
          {"supports_function_call", model.tools},
          {"supports_vision", model.vision},
          {"currency", text_or_null(model.currency)},
          {"published_prices", prices_json(model)},
          {"note", model.note},
          {"as_of", model.as_of},
          {"source", model.source}};
}

bj::object provider_json(const setup::KnownProvider& provider) {
  bj::array models;
  for (const setup::KnownModel& model : provider.models) models.push_back(model_json(model));
  return {{"id", provider.id},
          {"name", provider.name},
          {"provider_type", provider.provider_type},
          {"endpoint", provider.base_url},
          {"needs_key", provider.needs_key},
          {"keys_url", provider.keys_url},
          {"as_of", provider.as_of},
          {"source", provider.source},
          {"models", std::move(models)}};
}

Answer list_providers(const Services&, const Request&) {
  bj::array items;
  for (const setup::KnownProvider& provider : setup::known_providers()) {
    items.push_back(provider_json(provider));
  }
  return bj::value(bj::object{{"items", std::move(items)}});
}

// ---- an upstream asked

Result<provider::Endpoint> saved_endpoint(const Services& s, base::EndpointId id) {
  DP_TRY(auto reader, s.database.read());
  DP_TRY(const endpoints::StoredEndpoint stored, endpoints::get(reader, id));
  DP_TRY(std::string key, endpoints::reveal_key(s.sealer, stored));
  return provider::live_endpoint(stored, std::move(key));
}

// Of a body that has either `endpoint_id`, or the fields of an endpoint that is not saved. A saved
// key is sent nowhere but to the server that it is saved with.
Result<provider::Endpoint> endpoint_to_test(const Services& s, const Request& request) {
  webapi::Fields body(request.body);
  const auto id = body.integer("endpoint_id", {.min = 1});
  if (body.given("endpoint_id")) {
    DP_CHECK(body.finish());
    return saved_endpoint(s, base::EndpointId{*id});
  }
  DP_TRY(UnsavedEndpoint unsaved, read_unsaved_endpoint(request));
  return provider::live_endpoint(unsaved.endpoint, std::move(unsaved.api_key));
}

Result<provider::Endpoint> endpoint_in_path(const Services& s, const Request& request) {
  DP_TRY(const auto id, webapi::path_id<base::EndpointId>(request, 0, "endpoint"));
  return saved_endpoint(s, id);
}

using FindEndpoint = Result<provider::Endpoint> (*)(const Services&, const Request&);

// On the SQL pool, which the upstream is then not waited for on.
Task<Result<provider::Endpoint>> find(const Services& s, const Exchange& x, FindEndpoint which) {
  Request request = webapi::request_of(x);
  if (auto text = webapi::check_text(request); !text) co_return std::move(text).error();
  auto job = [&s, which, request = std::move(request)] { return which(s, request); };
  Result<provider::Endpoint> found =
      co_await s.sql_pool.run(std::move(job), webapi::sql_deadline());
  co_return found;
}

bj::array listed_json(const std::vector<setup::ListedModel>& models) {
  bj::array items;
  for (const setup::ListedModel& model : models) {
    items.push_back(bj::object{{"id", model.id},
                               {"name", model.name},
                               {"max_context_length", number_or_null(model.context)},
                               {"max_output_tokens", number_or_null(model.max_output)}});
  }
  return items;
}

bj::value report_json(const setup::CheckReport& report) {
  bj::array steps;
  for (const setup::CheckStep& step : report.steps) {
    steps.push_back(bj::object{{"step", step.name},
                               {"state", setup::to_string(step.state)},
                               {"ms", step.ms},
                               {"message", step.message},
                               {"advice", step.advice}});
  }
  return bj::object{
      {"ok", report.passed()}, {"steps", std::move(steps)}, {"models", listed_json(report.models)}};
}

Task<void> test_endpoint(const Admin& admin, Exchange& x) {
  Result<provider::Endpoint> endpoint = co_await find(admin.services, x, endpoint_to_test);
  if (!endpoint) {
    co_await webapi::answer_error(x, std::move(endpoint).error());
    co_return;
  }
  const setup::CheckReport report =
      co_await setup::check_endpoint(admin.outside, *endpoint, x.scope);
  co_await webapi::answer(x, report_json(report));
}

Task<void> list_models_of(const Admin& admin, Exchange& x) {
  Result<provider::Endpoint> endpoint = co_await find(admin.services, x, endpoint_in_path);
  if (!endpoint) {
    co_await webapi::answer_error(x, std::move(endpoint).error());
    co_return;
  }
  Result<std::vector<setup::ListedModel>> models =
      co_await setup::list_upstream_models(admin.outside, *endpoint, x.scope);
  if (!models) {
    co_await webapi::answer_error(x, std::move(models).error());
    co_return;
  }
  co_await webapi::answer(x, bj::value(bj::object{{"items", listed_json(*models)}}));
}

}  // namespace

std::vector<http::Route> provider_setup_routes(const Admin& admin) {
  const Services& s = admin.services;
  const auto at = webapi::blocking_with(s, std::cref(s));
  using webapi::kMaxBody;
  // By value: an Admin is a handful of references to what outlives the routes.
  const http::Handler test = [admin](Exchange& x) { return test_endpoint(admin, x); };
  const http::Handler list = [admin](Exchange& x) { return list_models_of(admin, x); };
  const std::string endpoint = "/api/v1/admin/endpoints";
  return {
      {Method::get, "/api/v1/admin/providers", Access::admin, kMaxBody, at(list_providers)},
      {Method::post, endpoint + "/test", Access::admin, kMaxBody, test},
      {Method::get, endpoint + "/{id}/upstream-models", Access::admin, kMaxBody, list},
      {Method::post, endpoint + "/{id}/import-models", Access::admin, kMaxBody, at(import_models)},
  };
}

}  // namespace deeppool::adminapi
