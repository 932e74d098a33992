#include "adminapi/endpoints.h"

#include "adminapi/audited_change.h"
#include "adminapi/endpoint_health.h"
#include "adminapi/limits.h"
#include "async/tls.h"
#include "provider/base_url.h"
#include "provider/catalog.h"
#include "provider/endpoint_rules.h"
#include "provider/endpoint_store.h"
#include "webapi/fields.h"
#include "webapi/limits.h"
#include "webapi/paging.h"

namespace deeppool::adminapi {
namespace {

namespace endpoints = provider::endpoints;
using endpoints::StoredEndpoint;
using http::Access;
using http::Method;
using webapi::Answer;
using webapi::Fields;
using webapi::Request;

// Enough to tell keys apart, too little to use one.
std::string masked(const crypto::Sealer& sealer, const StoredEndpoint& e) {
  if (!e.key_sealed) return "";
  const auto key = endpoints::reveal_key(sealer, e);
  if (!key) return "(cannot be opened with this instance's encryption key)";
  if (key->size() < kShortestKeyShownInPart) return "********";
  return key->substr(0, 3) + "********" + key->substr(key->size() - 4);
}

boost::json::object endpoint_json(const crypto::Sealer& sealer, const StoredEndpoint& e) {
  return {{"id", e.id.value},
          {"name", e.name},
          {"model_family", e.model_family},
          {"provider_type", e.provider_type},
          {"endpoint", e.endpoint},
          {"ca_file", e.ca_file},
          {"api_key", masked(sealer, e)},
          {"upstream_model", e.upstream_model},
          {"weight", e.weight},
          {"priority", e.priority},
          {"max_inflight", e.max_inflight},
          {"enabled", e.enabled},
          {"api_version", e.api_version},
          {"prefix_continuation", e.prefix_continuation},
          {"param_policy", e.param_policy},
          {"created_at", e.created_at_ms},
          {"updated_at", e.updated_at_ms}};
}

// Only Anthropic's API is spoken in more than one; other types look away.
Result<void> check_api_version(std::string_view version) {
  if (version.empty() || version == "2023-06-01" || version == "2026-10-21") return {};
  return Error::invalid("api_version", "`api_version` must be 2023-06-01 or 2026-10-21.");
}

Result<void> check_ca_file(const std::string& path) {
  if (path.empty()) return {};
  auto loaded = async::TlsContext::client(path);
  if (loaded) return {};
  Error error = Error::invalid(
      "ca_file", "`ca_file` must name a PEM file of certificates that this server can read.");
  error.detail = std::move(loaded).error().message;
  return error;
}

// As it is shown: with how it does.
boost::json::value shown(const Admin& admin, base::EndpointId id, boost::json::object endpoint) {
  endpoint["health"] = health_json(admin, id);
  return endpoint;
}

struct EndpointBody {
  StoredEndpoint endpoint;         // what it was, with what the body says on top
  std::optional<std::string> key;  // empty: remove it
};

enum class Reading { whole, partial };

Result<EndpointBody> read_endpoint(const Request& request, StoredEndpoint base, Reading reading) {
  Fields body(request.body);
  EndpointBody out{std::move(base), {}};
  StoredEndpoint& e = out.endpoint;
  if (reading == Reading::whole) {
    body.required("name");
    body.required("endpoint");
  }
  e.name = body.text("name", {.min = 1, .max = kMaxNameBytes}).value_or(e.name);
  e.model_family = body.text("model_family", {.max = kMaxNameBytes}).value_or(e.model_family);
  e.provider_type = body.text("provider_type", {.min = 1, .max = 32}).value_or(e.provider_type);
  e.endpoint = body.text("endpoint", {.max = provider::kMaxBaseUrlBytes}).value_or(e.endpoint);
  e.ca_file = body.text("ca_file", {.max = provider::kMaxBaseUrlBytes}).value_or(e.ca_file);
  e.upstream_model =
      body.text("upstream_model", {.max = kMaxUpstreamModelBytes}).value_or(e.upstream_model);
  e.weight = body.integer("weight", {.min = 1, .max = kMaxWeight}).value_or(e.weight);
  e.priority =
      body.integer("priority", {.min = -kMaxPriority, .max = kMaxPriority}).value_or(e.priority);
  e.max_inflight =
      body.integer("max_inflight", {.min = 0, .max = kMaxInflight}).value_or(e.max_inflight);
  e.enabled = body.flag("enabled").value_or(e.enabled);
  e.api_version = body.text("api_version", {.max = kMaxApiVersionBytes}).value_or(e.api_version);
  e.prefix_continuation = body.flag("prefix_continuation").value_or(e.prefix_continuation);
  e.param_policy = body.choice("param_policy", {"drop", "refuse"}).value_or(e.param_policy);
  out.key = body.secret("api_key", kMaxUpstreamKeyBytes);
  DP_CHECK(body.finish());
  DP_CHECK(provider::check_provider_type(e.provider_type));
  DP_CHECK(provider::parse_base_url(e.endpoint));
  DP_CHECK(check_ca_file(e.ca_file));
  DP_CHECK(check_api_version(e.api_version));
  if (out.key) DP_CHECK(provider::check_upstream_key(*out.key));
  return out;
}

// A stored key goes only to the server that it was entered for: who may edit a URL must not thereby
// learn a key that nobody can read.
Result<void> keep_key_at_home(const StoredEndpoint& before, const EndpointBody& after) {
  if (!before.key_sealed || after.key) return {};
  if (provider::same_server(before.endpoint, after.endpoint.endpoint)) return {};
  return Error::invalid("api_key",
                        "`endpoint` names another server, so `api_key` must be given again "
                        "(\"\" for none).");
}

// Different keys may look the same when masked.
bool other_key(const crypto::Sealer& sealer, const StoredEndpoint& before,
               const std::optional<std::string>& given) {
  if (!given) return false;
  const auto had = endpoints::reveal_key(sealer, before);
  return !had || *had != *given;
}

Answer list_of(const Admin& admin, const Request& request, std::optional<std::string> family) {
  DP_TRY(const webapi::SearchPaging paging, webapi::search_paging_of(request));
  DP_TRY(auto reader, admin.services.database.read());
  DP_TRY(const auto found, endpoints::search(reader, {.keyword = paging.keyword,
                                                      .family = std::move(family),
                                                      .limit = paging.size,
                                                      .offset = paging.offset()}));
  boost::json::array items;
  for (const auto& e : found.endpoints) {
    items.push_back(shown(admin, e.id, endpoint_json(admin.services.sealer, e)));
  }
  return webapi::page_of(paging, std::move(items), found.total);
}

Answer list_endpoints(const Admin& admin, const Request& request) {
  return list_of(admin, request, request.query("model_family"));
}

Answer list_family(const Admin& admin, const Request& request) {
  return list_of(admin, request, request.params[0]);
}

Answer show_endpoint(const Admin& admin, const Request& request) {
  DP_TRY(const auto id, webapi::path_id<base::EndpointId>(request, 0, "endpoint"));
  DP_TRY(auto reader, admin.services.database.read());
  DP_TRY(const StoredEndpoint e, endpoints::get(reader, id));
  return shown(admin, id, endpoint_json(admin.services.sealer, e));
}

Answer create_endpoint(const Admin& admin, const Request& request) {
  DP_TRY(const EndpointBody body, read_endpoint(request, {}, Reading::whole));
  boost::json::object created;
  base::EndpointId id;
  DP_CHECK(audited_change(admin.services, request, [&](sql::Writer& tx) -> Result<Change> {
    DP_TRY(id, endpoints::create(tx, body.endpoint, webapi::now_ms(admin.services)));
    DP_CHECK(endpoints::set_key(tx, admin.services.sealer, id, body.key.value_or("")));
    DP_TRY(const StoredEndpoint fresh, endpoints::get(tx, id));
    created = endpoint_json(admin.services.sealer, fresh);
    return Change{"endpoint.create", "endpoint", std::to_string(id.value), difference({}, created)};
  }));
  return shown(admin, id, std::move(created));
}

Answer change_endpoint(const Admin& admin, const Request& request, Reading reading) {
  DP_TRY(const auto id, webapi::path_id<base::EndpointId>(request, 0, "endpoint"));
  boost::json::object updated;
  DP_CHECK(audited_change(admin.services, request, [&](sql::Writer& tx) -> Result<Change> {
    DP_TRY(const StoredEndpoint before, endpoints::get(tx, id));
    StoredEndpoint base = before;
    if (reading == Reading::whole) base = {};
    base.id = id;
    DP_TRY(const EndpointBody body, read_endpoint(request, std::move(base), reading));
    DP_CHECK(keep_key_at_home(before, body));
    DP_CHECK(endpoints::update(tx, body.endpoint, webapi::now_ms(admin.services)));
    if (body.key) DP_CHECK(endpoints::set_key(tx, admin.services.sealer, id, *body.key));
    DP_TRY(const StoredEndpoint fresh, endpoints::get(tx, id));
    updated = endpoint_json(admin.services.sealer, fresh);
    auto detail = difference(endpoint_json(admin.services.sealer, before), updated);
    if (other_key(admin.services.sealer, before, body.key)) detail["api_key_changed"] = true;
    return Change{"endpoint.update", "endpoint", std::to_string(id.value), std::move(detail)};
  }));
  return shown(admin, id, std::move(updated));
}

Answer replace_endpoint(const Admin& admin, const Request& request) {
  return change_endpoint(admin, request, Reading::whole);
}

Answer patch_endpoint(const Admin& admin, const Request& request) {
  return change_endpoint(admin, request, Reading::partial);
}

Answer delete_endpoint(const Admin& admin, const Request& request) {
  DP_TRY(const auto id, webapi::path_id<base::EndpointId>(request, 0, "endpoint"));
  DP_CHECK(audited_change(admin.services, request, [&](sql::Writer& tx) -> Result<Change> {
    DP_TRY(const StoredEndpoint before, endpoints::get(tx, id));
    DP_CHECK(endpoints::remove(tx, id));
    return Change{"endpoint.delete", "endpoint", std::to_string(id.value), {{"name", before.name}}};
  }));
  return boost::json::value();
}

// Health is this process's own, so only here.
Answer readmit_endpoint(const Admin& admin, const Request& request) {
  DP_TRY(const auto id, webapi::path_id<base::EndpointId>(request, 0, "endpoint"));
  boost::json::object endpoint;
  DP_CHECK(audited_change(admin.services, request, [&](sql::Writer& tx) -> Result<Change> {
    DP_TRY(const StoredEndpoint e, endpoints::get(tx, id));
    endpoint = endpoint_json(admin.services.sealer, e);
    return Change{"endpoint.readmit", "endpoint", std::to_string(id.value), {{"name", e.name}}};
  }));
  const auto catalog = admin.catalog.current();
  const provider::Endpoint* live = catalog->find_endpoint(id);
  if (live != nullptr) live->health->readmit(admin.services.clock.now());
  return shown(admin, id, std::move(endpoint));
}

}  // namespace

Result<UnsavedEndpoint> read_unsaved_endpoint(const Request& request) {
  DP_TRY(EndpointBody body, read_endpoint(request, {}, Reading::partial));
  return UnsavedEndpoint{std::move(body.endpoint), body.key.value_or("")};
}

std::vector<http::Route> endpoint_routes(const Admin& admin) {
  const auto at = webapi::blocking_with(admin.services, admin);
  using webapi::kMaxBody;
  const std::string all = "/api/v1/admin/endpoints";
  return {
      {Method::get, all, Access::admin, kMaxBody, at(list_endpoints)},
      {Method::post, all, Access::admin, kMaxBody, at(create_endpoint)},
      {Method::get, all + "/by-family/{family}", Access::admin, kMaxBody, at(list_family)},
      {Method::get, all + "/{id}", Access::admin, kMaxBody, at(show_endpoint)},
      {Method::put, all + "/{id}", Access::admin, kMaxBody, at(replace_endpoint)},
      {Method::patch, all + "/{id}", Access::admin, kMaxBody, at(patch_endpoint)},
      {Method::del, all + "/{id}", Access::admin, kMaxBody, at(delete_endpoint)},
      {Method::post, all + "/{id}/readmit", Access::admin, kMaxBody, at(readmit_endpoint)},
  };
}

}  // namespace deeppool::adminapi
