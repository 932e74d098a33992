#include "portalapi/custom_models.h"

#include <algorithm>

#include "portalapi/limits.h"
#include "portalapi/public_url.h"
#include "provider/base_url.h"
#include "provider/custom_store.h"
#include "provider/endpoint_rules.h"
#include "provider/model_store.h"
#include "routing/limits.h"
#include "webapi/fields.h"
#include "webapi/handler.h"
#include "webapi/hybrid_fields.h"
#include "webapi/limits.h"
#include "webapi/paging.h"

namespace deeppool::portalapi {
namespace {

namespace custom = provider::custom;
using custom::CustomId;
using custom::StoredCustom;
using http::Access;
using http::Method;
using webapi::Answer;
using webapi::Fields;
using webapi::Request;

constexpr std::string_view kProvider = "provider";
constexpr std::string_view kHybrid = "hybrid";
constexpr std::string_view kWhat = "model";

// The key is never shown again, not even in part: its owner has it.
boost::json::object custom_json(const StoredCustom& m) {
  boost::json::object out = {{"id", m.id.value},
                             {"name", m.name},
                             {"model_name", m.model_name},
                             {"vendor_type", m.vendor_type},
                             {"max_context_length", m.max_context_length},
                             {"max_output_tokens", m.max_output_tokens},
                             {"supports_reasoning", m.supports_reasoning},
                             {"supports_function_call", m.supports_function_call},
                             {"supports_vision", m.supports_vision},
                             {"enabled", m.enabled},
                             {"created_at", m.created_at_ms},
                             {"updated_at", m.updated_at_ms}};
  if (m.vendor_type == kHybrid) {
    out["child_models"] = boost::json::array(m.child_models.begin(), m.child_models.end());
    out["routing_policy"] = m.routing_policy;
  } else {
    out["provider_type"] = m.provider_type;
    out["endpoint"] = m.endpoint;
    out["upstream_model"] = m.upstream_model;
    out["has_api_key"] = m.key_sealed.has_value();
  }
  return out;
}

Result<void> check_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (base::lower(c) >= 'a' && base::lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  if (name.size() >= 2 && name.size() <= kMaxCustomNameBytes &&
      std::ranges::all_of(name, allowed)) {
    return {};
  }
  return Error::invalid("name", "`name` must be 2 to 32 letters, digits, - and _.");
}

struct CustomBody {
  StoredCustom model;
  std::optional<std::string> key;  // empty: remove it
};

// A model has what belongs to its kind and nothing else.
Result<void> check_kind(const Fields& body, const CustomBody& out, http::Reach reach) {
  const StoredCustom& m = out.model;
  if (m.vendor_type == kHybrid) {
    for (const char* field : {"endpoint", "api_key", "provider_type", "upstream_model"}) {
      if (!body.given(field)) continue;
      return Error::invalid(field, "`" + std::string(field) + "` is for provider models.");
    }
    return webapi::check_hybrid(m.child_models, m.routing_policy);
  }
  for (const char* field : {"child_models", "routing_policy"}) {
    if (!body.given(field)) continue;
    return Error::invalid(field, "`" + std::string(field) + "` is for hybrid models.");
  }
  DP_CHECK(provider::check_provider_type(m.provider_type));
  DP_CHECK(provider::parse_base_url(m.endpoint));
  DP_CHECK(check_public_url("endpoint", m.endpoint, reach));
  return out.key ? provider::check_upstream_key(*out.key) : Result<void>();
}

Result<CustomBody> read_custom(const Portal& p, const Request& request) {
  const webapi::IntegerRule tokens{.min = 0, .max = kMaxCustomTokens};
  Fields body(request.body);
  CustomBody out;
  StoredCustom& m = out.model;
  m.owner = request.user.id;
  m.name = body.required_text("name", {.max = 255});
  m.vendor_type = body.choice("vendor_type", {kHybrid, kProvider}).value_or("hybrid");
  webapi::HybridFields hybrid = webapi::read_hybrid(body);
  m.child_models = std::move(hybrid.children).value_or(std::vector<std::string>());
  m.routing_policy = std::move(hybrid.policy).value_or("");
  m.provider_type = body.text("provider_type", {.min = 1, .max = 32}).value_or("openai");
  m.endpoint = body.text("endpoint", {.max = provider::kMaxBaseUrlBytes}).value_or("");
  m.upstream_model = body.text("upstream_model", {.max = 255}).value_or("");
  out.key = body.secret("api_key", kMaxUsersKeyBytes);
  m.max_context_length = body.integer("max_context_length", tokens).value_or(0);
  m.max_output_tokens = body.integer("max_output_tokens", tokens).value_or(0);
  m.supports_reasoning = body.flag("supports_reasoning").value_or(false);
  m.supports_function_call = body.flag("supports_function_call").value_or(false);
  m.supports_vision = body.flag("supports_vision").value_or(false);
  m.enabled = body.flag("enabled").value_or(true);
  DP_CHECK(body.finish());
  DP_CHECK(check_name(m.name));
  DP_CHECK(check_kind(body, out, p.users_reach));
  if (m.vendor_type == kHybrid) m.provider_type.clear();
  return out;
}

// Public models, or provider models of the same user.
Result<void> check_children(sql::Reader& reader, const StoredCustom& m) {
  std::vector<std::string> public_names;
  DP_TRY(const auto own, custom::list(reader, m.owner));
  for (const std::string& child : m.child_models) {
    const auto mine = std::ranges::find(own, child, &StoredCustom::model_name);
    if (mine == own.end()) {
      public_names.push_back(child);
    } else if (mine->vendor_type == kHybrid) {
      return Error::invalid("child_models",
                            "\"" + child + "\" is a hybrid itself; children must not be.");
    }
  }
  return provider::models::check_children(reader, public_names);
}

Answer list_custom(const Portal& p, const Request& request) {
  DP_TRY(const webapi::SearchPaging paging, webapi::search_paging_of(request));
  DP_TRY(auto reader, p.services.database.read());
  DP_TRY(const auto models, custom::list(reader, request.user.id));
  boost::json::array items;
  int64_t place = 0;
  for (const StoredCustom& m : models) {
    if (!paging.finds(m.model_name)) continue;
    const bool on_page = place >= paging.offset() && place < paging.offset() + paging.size;
    if (on_page) items.push_back(custom_json(m));
    ++place;
  }
  return webapi::page_of(paging, std::move(items), place);
}

Result<void> check_room(sql::Reader& reader, const StoredCustom& wanted) {
  DP_TRY(const auto own, custom::list(reader, wanted.owner));
  const auto of_kind = std::ranges::count(own, wanted.vendor_type, &StoredCustom::vendor_type);
  if (of_kind < kMaxCustomModels) return {};
  return Error(ErrorCode::conflict, "You have " + std::to_string(kMaxCustomModels) + " " +
                                        wanted.vendor_type +
                                        " models, which is as many as can be.");
}

Answer create_custom(const Portal& p, const Request& request) {
  const webapi::Services& s = p.services;
  DP_TRY(const CustomBody body, read_custom(p, request));
  DP_CHECK(p.guards.key_change(request.user.id));
  boost::json::object created;
  DP_CHECK(webapi::commit_change(s, [&](sql::Writer& tx) -> Result<void> {
    DP_CHECK(check_room(tx, body.model));
    DP_CHECK(check_children(tx, body.model));
    DP_TRY(const CustomId id, custom::create(tx, body.model, webapi::now_ms(s)));
    if (body.key) DP_CHECK(custom::set_key(tx, s.sealer, id, *body.key));
    DP_TRY(const StoredCustom fresh, custom::get(tx, request.user.id, id));
    created = custom_json(fresh);
    return {};
  }));
  return boost::json::value(std::move(created));
}

// A stored key goes only to the server that it was entered for.
Result<void> keep_key_at_home(const StoredCustom& before, const CustomBody& after) {
  if (!before.key_sealed || after.key) return {};
  if (provider::same_server(before.endpoint, after.model.endpoint)) return {};
  return Error::invalid("api_key",
                        "`endpoint` names another server, so `api_key` must be given again "
                        "(\"\" for none).");
}

Answer replace_custom(const Portal& p, const Request& request) {
  const webapi::Services& s = p.services;
  DP_TRY(const auto id, webapi::path_id<CustomId>(request, 0, kWhat));
  {
    // A missing model is missing whatever the body says.
    DP_TRY(auto reader, s.database.read());
    DP_CHECK(custom::get(reader, request.user.id, id));
  }
  DP_TRY(CustomBody body, read_custom(p, request));
  DP_CHECK(p.guards.key_change(request.user.id));
  body.model.id = id;
  boost::json::object updated;
  DP_CHECK(webapi::commit_change(s, [&](sql::Writer& tx) -> Result<void> {
    DP_TRY(const StoredCustom before, custom::get(tx, request.user.id, id));
    if (before.vendor_type != body.model.vendor_type) {
      return Error::invalid("vendor_type", "`vendor_type` cannot change; make a new model.");
    }
    DP_CHECK(keep_key_at_home(before, body));
    DP_CHECK(check_children(tx, body.model));
    DP_CHECK(custom::update(tx, body.model, webapi::now_ms(s)));
    if (body.key) DP_CHECK(custom::set_key(tx, s.sealer, id, *body.key));
    DP_TRY(const StoredCustom fresh, custom::get(tx, request.user.id, id));
    updated = custom_json(fresh);
    return {};
  }));
  return boost::json::value(std::move(updated));
}

Answer delete_custom(const Portal& p, const Request& request) {
  DP_TRY(const auto id, webapi::path_id<CustomId>(request, 0, kWhat));
  DP_CHECK(p.guards.key_change(request.user.id));
  DP_CHECK(webapi::commit_change(
      p.services, [&](sql::Writer& tx) { return custom::remove(tx, request.user.id, id); }));
  return boost::json::value();
}

// For editors that check while somebody types: faults are an answer, not an error.
Answer validate_policy(const Portal&, const Request& request) {
  Fields body(request.body);
  const webapi::HybridFields fields = webapi::read_hybrid(body);
  body.required("routing_policy");
  DP_CHECK(body.finish());
  const auto naming = fields.children ? routing::Naming::children : routing::Naming::anything;
  const routing::ReadPolicy read = routing::read_policy(
      *fields.policy, fields.children.value_or(std::vector<std::string>()), naming);
  return boost::json::value{{"valid", read.ok()}, {"faults", webapi::faults_array(read.faults)}};
}

}  // namespace

std::vector<http::Route> custom_model_routes(const Portal& p) {
  const auto at = webapi::blocking_with(p.services, p);
  using webapi::kMaxBody;
  const std::string all = "/api/v1/custom-models";
  return {
      {Method::get, all, Access::user, kMaxBody, at(list_custom)},
      {Method::post, all, Access::user, kMaxBody, at(create_custom)},
      {Method::post, all + "/validate-policy", Access::user, kMaxBody, at(validate_policy)},
      {Method::put, all + "/{id}", Access::user, kMaxBody, at(replace_custom)},
      {Method::del, all + "/{id}", Access::user, kMaxBody, at(delete_custom)},
  };
}

}  // namespace deeppool::portalapi
