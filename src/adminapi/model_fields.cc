#include "adminapi/model_fields.h"

#include <algorithm>

#include "adminapi/limits.h"
#include "governance/pricing/price_tiers.h"
#include "provider/custom_store.h"
#include "webapi/fields.h"
#include "webapi/hybrid_fields.h"
#include "webapi/price_json.h"

namespace deeppool::adminapi {
namespace {

using provider::models::StoredModel;
using webapi::Fields;
using webapi::Request;

constexpr std::string_view kProvider = "provider";
constexpr std::string_view kHybrid = "hybrid";

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
  if (provider::custom::looks_custom(name)) {
    return Error::invalid("model_name", "Names like \"u17-...\" are for users' own models.");
  }
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
  if (vendor == kProvider || vendor == kHybrid) return {};
  if (vendor == "deepnode") {
    return Error::invalid("vendor_type", "`vendor_type` \"" + std::string(vendor) +
                                             "\" is not supported by this version yet; "
                                             "\"provider\" and \"hybrid\" are.");
  }
  return Error::invalid("vendor_type", "`vendor_type` must be \"provider\" or \"hybrid\".");
}

// Fields of the product that belong to kinds of models that are not here yet.
constexpr std::string_view kLater[] = {"repo_id", "engine", "supported_engines", "min_memory_gb",
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

// A model has what belongs to its kind and nothing else. What it had as another kind is dropped,
// but what the body says is refused rather than ignored.
Result<void> settle_kind(const Fields& body, StoredModel& m) {
  if (m.vendor_type != kHybrid) {
    if (body.given("child_models") && !m.child_models.empty()) {
      return Error::invalid("child_models", "`child_models` are for hybrid models.");
    }
    if (body.given("routing_policy") && !m.routing_policy.empty()) {
      return Error::invalid("routing_policy", "`routing_policy` is for hybrid models.");
    }
    m.child_models.clear();
    m.routing_policy.clear();
    return {};
  }
  if (body.given("endpoint_ids") && !m.endpoint_ids.empty()) {
    return Error::invalid("endpoint_ids", "A hybrid model has no endpoints; its children have.");
  }
  if (body.given("pricing_tiers") && m.pricing_tiers != "null") {
    return Error::invalid("pricing_tiers",
                          "A hybrid model has no price of its own; the child that answers has.");
  }
  m.endpoint_ids.clear();
  m.pricing_tiers = "null";
  return webapi::check_hybrid(m.child_models, m.routing_policy);
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
          {"child_models", boost::json::array(m.child_models.begin(), m.child_models.end())},
          {"routing_policy", m.routing_policy},
          {"pricing_tiers", tiers_json(price)},
          {"price_state", m.vendor_type == kHybrid ? "of_children" : state_name(price)},
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
  webapi::HybridFields hybrid = webapi::read_hybrid(body);
  if (hybrid.children) m.child_models = *std::move(hybrid.children);
  if (hybrid.policy) m.routing_policy = *std::move(hybrid.policy);
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
  body.check(settle_kind(body, m));
  for (const std::string_view name : kLater) body.not_yet(name);
  DP_CHECK(body.finish());
  DP_CHECK(check_name(m.model_name));
  return m;
}

Result<StoredModel> read_model(const Request& request, StoredModel m, Reading reading) {
  Fields body(request.body);
  if (reading == Reading::whole) body.required("model_name");
  if (const auto ids = body.ids("endpoint_ids", {.max = kMaxEndpointsPerModel})) {
    m.endpoint_ids.clear();
    for (const int64_t id : *ids) m.endpoint_ids.push_back(base::EndpointId{id});
  }
  DP_TRY(m, finish_model(body, std::move(m)));
  if (m.vendor_type == kHybrid || !m.endpoint_ids.empty()) return m;
  return Error::invalid("endpoint_ids", body.given("endpoint_ids")
                                            ? "`endpoint_ids` must have 1 to 64 items."
                                            : "`endpoint_ids` is required.");
}

}  // namespace deeppool::adminapi
