#include "adminapi/models.h"

#include <algorithm>

#include "adminapi/audited_change.h"
#include "adminapi/limits.h"
#include "governance/pricing/price_tiers.h"
#include "provider/model_store.h"
#include "webapi/fields.h"
#include "webapi/limits.h"
#include "webapi/paging.h"
#include "webapi/price_json.h"

namespace deeppool::adminapi {
namespace {

namespace models = provider::models;
using http::Access;
using http::Method;
using models::StoredModel;
using webapi::Answer;
using webapi::Fields;
using webapi::Request;
using webapi::Services;

std::string_view state_name(const governance::Price& price) {
  switch (price.state) {
    case governance::Price::State::unpriced:
      return "unpriced";
    case governance::Price::State::unreadable:
      return "unreadable";
    case governance::Price::State::known:
      break;
  }
  return price.free() ? "free" : "priced";
}

// Null where there is no list to show.
boost::json::value tiers_json(const governance::Price& price) {
  if (!price.known()) return nullptr;
  return webapi::price_tiers_array(price.tiers, governance::PriceSpelling::stated);
}

// Names appear in URLs and headers; what providers and local servers use is allowed, and nothing
// else. A space at either end would look like another name, so it is refused.
Result<void> check_name(std::string_view name) {
  constexpr std::string_view kMarks = "-_.:/@+ ";
  const auto allowed = [&](char c) {
    return (base::lower(c) >= 'a' && base::lower(c) <= 'z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  };
  const bool framed = name.starts_with(' ') || name.ends_with(' ');
  if (!name.empty() && !framed && name.size() <= kMaxModelNameBytes &&
      std::ranges::all_of(name, allowed)) {
    return {};
  }
  return Error::invalid("model_name",
                        "`model_name` must be 1 to 191 letters, digits, inner spaces and "
                        "- _ . : / @ +.");
}

Result<void> check_vendor(std::string_view vendor) {
  if (vendor == "provider") return {};
  if (vendor == "deepnode" || vendor == "hybrid") {
    return Error::invalid("vendor_type", "`vendor_type` \"" + std::string(vendor) +
                                             "\" is not supported by this version yet; only "
                                             "\"provider\" is.");
  }
  return Error::invalid("vendor_type", "`vendor_type` must be \"provider\".");
}

// Fields of the product that belong to kinds of models that are not here yet.
constexpr std::string_view kLater[] = {"child_models",     "routing_policy",    "repo_id",
                                       "engine",           "supported_engines", "min_memory_gb",
                                       "min_gpu_memory_gb"};

// A price list in the spelling in which it is stored. A model may say that it has no price (null),
// and is refused to callers until it has one.
std::string read_tiers(Fields& body, std::string_view name, std::string before) {
  const std::optional<std::string> raw = body.raw(name);
  if (!raw) return before;
  if (*raw == "null") return *raw;
  const Result<governance::PriceTiers> tiers = governance::read_price_tiers(*raw, name);
  if (tiers) return governance::price_tiers_json(*tiers, governance::PriceSpelling::stated);
  body.fail(tiers.error());
  return before;
}

enum class Reading { whole, partial };

// `m` as it was, with what the body says on top.
Result<StoredModel> read_model(const Request& request, StoredModel m, Reading reading) {
  Fields body(request.body);
  for (const std::string_view name : {"model_name", "endpoint_ids"}) {
    if (reading == Reading::partial || body.given(name)) continue;
    body.fail(Error::invalid(std::string(name), "`" + std::string(name) + "` is required."));
  }
  if (const auto ids = body.ids("endpoint_ids", {.min = 1, .max = kMaxEndpointsPerModel})) {
    m.endpoint_ids.clear();
    for (const int64_t id : *ids) m.endpoint_ids.push_back(base::EndpointId{id});
  }
  return finish_model(body, std::move(m));
}

Answer list_models(const Services& s, const Request& request) {
  DP_TRY(const webapi::Paging paging, webapi::paging_of(request));
  DP_TRY(const auto enabled, webapi::flag_of(request, "enabled"));
  models::Search wanted{.keyword = paging.keyword,
                        .which = models::Which::all,
                        .limit = paging.size,
                        .offset = paging.offset()};
  if (enabled) wanted.which = *enabled ? models::Which::enabled : models::Which::disabled;
  DP_TRY(auto reader, s.database.read());
  DP_TRY(const auto found, models::search(reader, wanted));
  boost::json::array items;
  for (const StoredModel& m : found.models) items.push_back(model_json(m));
  return webapi::page_of(paging, std::move(items), found.total);
}

Answer show_model(const Services& s, const Request& request) {
  DP_TRY(const auto id, webapi::path_id<base::ModelId>(request, 0, "model"));
  DP_TRY(auto reader, s.database.read());
  DP_TRY(const StoredModel m, models::get(reader, id));
  return boost::json::value(model_json(m));
}

Answer create_model(const Services& s, const Request& request) {
  DP_TRY(const StoredModel wanted, read_model(request, {}, Reading::whole));
  boost::json::object created;
  DP_CHECK(audited_change(s, request, [&](sql::Writer& tx) -> Result<Change> {
    DP_TRY(const auto id, models::create(tx, wanted, webapi::now_ms(s)));
    DP_TRY(const StoredModel fresh, models::get(tx, id));
    created = model_json(fresh);
    return Change{"model.create", "model", std::to_string(id.value), difference({}, created)};
  }));
  return boost::json::value(std::move(created));
}

using Edit = std::function<Result<StoredModel>(const StoredModel&)>;

Answer change_model(const Services& s, const Request& request, const Edit& edit) {
  DP_TRY(const auto id, webapi::path_id<base::ModelId>(request, 0, "model"));
  boost::json::object updated;
  DP_CHECK(audited_change(s, request, [&](sql::Writer& tx) -> Result<Change> {
    DP_TRY(const StoredModel before, models::get(tx, id));
    DP_TRY(StoredModel after, edit(before));
    after.id = id;
    DP_CHECK(models::update(tx, after, webapi::now_ms(s)));
    DP_TRY(const StoredModel fresh, models::get(tx, id));
    updated = model_json(fresh);
    return Change{"model.update", "model", std::to_string(id.value),
                  difference(model_json(before), updated)};
  }));
  return boost::json::value(std::move(updated));
}

Answer replace_model(const Services& s, const Request& request) {
  return change_model(s, request,
                      [&](const StoredModel&) { return read_model(request, {}, Reading::whole); });
}

Answer patch_model(const Services& s, const Request& request) {
  return change_model(s, request, [&](const StoredModel& before) {
    return read_model(request, before, Reading::partial);
  });
}

Answer enable_model(const Services& s, const Request& request) {
  Fields body(request.body);
  const auto enabled = body.flag("enabled");
  if (!body.given("enabled")) {
    body.fail(Error::invalid("enabled", "`enabled` is required."));
  }
  DP_CHECK(body.finish());
  return change_model(s, request, [&](const StoredModel& before) -> Result<StoredModel> {
    StoredModel after = before;
    after.enabled = *enabled;
    return after;
  });
}

Answer delete_model(const Services& s, const Request& request) {
  DP_TRY(const auto id, webapi::path_id<base::ModelId>(request, 0, "model"));
  DP_CHECK(audited_change(s, request, [&](sql::Writer& tx) -> Result<Change> {
    DP_TRY(const StoredModel before, models::get(tx, id));
    DP_CHECK(models::remove(tx, id));
    return Change{
        "model.delete", "model", std::to_string(id.value), {{"model_name", before.model_name}}};
  }));
  return boost::json::value();
}

}  // namespace

boost::json::object model_json(const StoredModel& m) {
  const governance::Price price = governance::read_price(m.pricing_tiers);
  boost::json::array ids;
  for (const base::EndpointId id : m.endpoint_ids) ids.push_back(id.value);
  return {{"id", m.id.value},
          {"model_name", m.model_name},
          {"vendor_type", m.vendor_type},
          {"endpoint_ids", std::move(ids)},
          {"pricing_tiers", tiers_json(price)},
          {"price_state", state_name(price)},
          {"price_fault", price.fault},
          {"contributor_tiers", tiers_json(governance::read_price(m.contributor_tiers))},
          {"max_context_length", m.max_context_length},
          {"max_output_tokens", m.max_output_tokens},
          {"param_scale", m.param_scale},
          {"supports_reasoning", m.supports_reasoning},
          {"supports_function_call", m.supports_function_call},
          {"supports_vision", m.supports_vision},
          {"tags", boost::json::array(m.tags.begin(), m.tags.end())},
          {"priority", m.priority},
          {"enabled", m.enabled},
          {"hedge_after_ms", m.hedge_after_ms},
          {"hedge_max_percent", m.hedge_max_percent},
          {"created_at", m.created_at_ms},
          {"updated_at", m.updated_at_ms}};
}

Result<StoredModel> finish_model(Fields& body, StoredModel m) {
  const webapi::IntegerRule tokens{.min = 0, .max = kMaxModelTokens};
  m.model_name = body.text("model_name", {.max = 1024}).value_or(m.model_name);
  m.vendor_type = body.text("vendor_type", {.max = 32}).value_or(m.vendor_type);
  m.pricing_tiers = read_tiers(body, "pricing_tiers", std::move(m.pricing_tiers));
  m.contributor_tiers = read_tiers(body, "contributor_tiers", std::move(m.contributor_tiers));
  m.max_context_length = body.integer("max_context_length", tokens).value_or(m.max_context_length);
  m.max_output_tokens = body.integer("max_output_tokens", tokens).value_or(m.max_output_tokens);
  m.param_scale = body.text("param_scale", {.max = kMaxScaleBytes}).value_or(m.param_scale);
  m.supports_reasoning = body.flag("supports_reasoning").value_or(m.supports_reasoning);
  m.supports_function_call = body.flag("supports_function_call").value_or(m.supports_function_call);
  m.supports_vision = body.flag("supports_vision").value_or(m.supports_vision);
  m.tags = body.texts("tags", {.max = kMaxTags, .item = {.min = 1, .max = kMaxTagBytes}})
               .value_or(m.tags);
  m.priority =
      body.integer("priority", {.min = -kMaxPriority, .max = kMaxPriority}).value_or(m.priority);
  m.enabled = body.flag("enabled").value_or(m.enabled);
  m.hedge_after_ms = body.integer("hedge_after_ms", {.min = 0, .max = kMaxHedgeAfterMs})
                         .value_or(m.hedge_after_ms);
  m.hedge_max_percent = body.integer("hedge_max_percent", {.min = 0, .max = kMaxHedgePercent})
                            .value_or(m.hedge_max_percent);
  // The kind first: it is the reason why the others are not supported.
  body.check(check_vendor(m.vendor_type));
  for (const std::string_view name : kLater) body.not_yet(name);
  DP_CHECK(body.finish());
  DP_CHECK(check_name(m.model_name));
  return m;
}

std::vector<http::Route> model_routes(const Admin& admin) {
  const Services& s = admin.services;
  const auto at = webapi::blocking_with(s, std::cref(s));
  using webapi::kMaxBody;
  const std::string all = "/api/v1/admin/models";
  return {
      {Method::get, all, Access::admin, kMaxBody, at(list_models)},
      {Method::post, all, Access::admin, kMaxBody, at(create_model)},
      {Method::get, all + "/{id}", Access::admin, kMaxBody, at(show_model)},
      {Method::put, all + "/{id}", Access::admin, kMaxBody, at(replace_model)},
      {Method::patch, all + "/{id}", Access::admin, kMaxBody, at(patch_model)},
      {Method::del, all + "/{id}", Access::admin, kMaxBody, at(delete_model)},
      {Method::post, all + "/{id}/enabled", Access::admin, kMaxBody, at(enable_model)},
      {Method::patch, all + "/{id}/enabled", Access::admin, kMaxBody, at(enable_model)},
  };
}

}  // namespace deeppool::adminapi
