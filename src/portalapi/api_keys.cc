#include "portalapi/api_keys.h"

#include <algorithm>

#include "identity/api_key_store.h"
#include "identity/limits.h"
#include "identity/tokens.h"
#include "provider/custom_store.h"
#include "provider/model_store.h"
#include "settings/platform_settings.h"
#include "webapi/fields.h"
#include "webapi/handler.h"
#include "webapi/limits.h"
#include "webapi/paging.h"

namespace deeppool::portalapi {
namespace {

namespace api_keys = identity::api_keys;
using http::Access;
using http::Method;
using identity::ApiKey;
using webapi::Answer;
using webapi::Fields;
using webapi::Request;

constexpr std::string_view kWhat = "API key";

boost::json::object key_json(const api_keys::StoredKey& stored) {
  const ApiKey& key = stored.key;
  boost::json::array models(key.allowed_models.begin(), key.allowed_models.end());
  boost::json::object out = {{"id", key.id.value},
                             {"name", key.name},
                             {"key_prefix", stored.prefix},
                             {"rate_limit_rpm", key.rate_limit_rpm},
                             {"rate_limit_tpm", key.rate_limit_tpm},
                             {"max_inflight", key.max_inflight},
                             {"quota_total", key.quota_total},
                             {"quota_used", key.quota_used},
                             {"cost_yuan", stored.charged.to_string()},
                             {"allowed_models", std::move(models)},
                             {"expires_at", nullptr},
                             {"enabled", key.enabled},
                             {"created_at", stored.created_at_ms},
                             {"updated_at", stored.updated_at_ms},
                             {"last_used_at", nullptr}};
  if (key.expires_at_ms) out["expires_at"] = *key.expires_at_ms;
  if (stored.last_used_at_ms) out["last_used_at"] = *stored.last_used_at_ms;
  return out;
}

// What a body may say about a key; what it does not say stays as it is.
struct KeyFields {
  std::optional<std::string> name;
  std::optional<int64_t> rpm, tpm, inflight, quota;
  std::optional<std::vector<std::string>> models;
  std::optional<std::optional<int64_t>> expires_at;
  std::optional<bool> enabled;

  void apply(ApiKey& key) const {
    if (name) key.name = *name;
    if (rpm) key.rate_limit_rpm = *rpm;
    if (tpm) key.rate_limit_tpm = *tpm;
    if (inflight) key.max_inflight = *inflight;
    if (quota) key.quota_total = *quota;
    if (models) key.allowed_models = *models;
    if (expires_at) key.expires_at_ms = *expires_at;
    if (enabled) key.enabled = *enabled;
  }
};

Result<KeyFields> read_key(Fields& body, int64_t now_ms) {
  const webapi::IntegerRule rate{.min = 0, .max = identity::kMaxRatePerMinute};
  KeyFields f;
  f.name = body.text("name", {.min = 1, .max = identity::kMaxKeyNameBytes});
  f.rpm = body.integer("rate_limit_rpm", rate);
  f.tpm = body.integer("rate_limit_tpm", rate);
  f.inflight = body.integer("max_inflight", {.min = 0, .max = identity::kMaxInflight});
  f.quota = body.integer("quota_total", {.min = -1, .max = identity::kMaxQuotaTokens});
  f.models =
      body.texts("allowed_models", {.max = identity::kMaxAllowedModels,
                                    .item = {.min = 1, .max = identity::kMaxModelNameBytes}});
  f.expires_at = body.nullable_integer("expires_at", {.min = 0});
  f.enabled = body.flag("enabled");
  if (f.expires_at && f.expires_at->value_or(now_ms + 1) <= now_ms) {
    body.fail(Error::invalid("expires_at",
                             "`expires_at` must be in the future, in unix milliseconds; null is "
                             "never."));
  }
  DP_CHECK(body.finish());
  return f;
}

// A key can reach no more than its creator: the platform's models and the creator's own.
Result<void> check_models(sql::Reader& reader, base::UserId owner, const KeyFields& fields) {
  if (!fields.models) return {};
  DP_TRY(auto unknown, provider::models::unknown_names(reader, *fields.models));
  DP_TRY(const auto own, provider::custom::list(reader, owner));
  std::erase_if(unknown, [&own](const std::string& name) {
    const auto same = [&name](const auto& model) { return model.model_name == name; };
    return std::ranges::any_of(own, same);
  });
  if (unknown.empty()) return {};
  return Error::invalid("allowed_models", "There is no model \"" + unknown.front() + "\".");
}

Answer list_keys(const Portal& p, const Request& request) {
  DP_TRY(const webapi::SearchPaging paging, webapi::search_paging_of(request));
  DP_TRY(auto reader, p.services.database.read());
  DP_TRY(const auto found,
         api_keys::search(
             reader, request.user.id,
             {.keyword = paging.keyword, .limit = paging.size, .offset = paging.offset()}));
  boost::json::array items;
  for (const auto& key : found.keys) items.push_back(key_json(key));
  return webapi::page_of(paging, std::move(items), found.total);
}

Answer create_key(const Portal& p, const Request& request) {
  const webapi::Services& s = p.services;
  const int64_t now = webapi::now_ms(s);
  Fields body(request.body);
  body.required("name");
  DP_TRY(const KeyFields fields, read_key(body, now));
  DP_CHECK(p.guards.key_change(request.user.id));
  const std::string secret = identity::make_token(identity::kApiKeyMark, s.random);
  boost::json::object created;
  DP_CHECK(webapi::commit_change(s, [&](sql::Writer& tx) -> Result<void> {
    DP_CHECK(check_models(tx, request.user.id, fields));
    DP_TRY(const auto defaults, settings::load(tx));
    ApiKey key;
    key.owner = request.user.id;
    key.rate_limit_rpm = defaults.default_rate_limit_rpm;
    key.rate_limit_tpm = defaults.default_rate_limit_tpm;
    key.quota_total = defaults.default_quota_total;
    fields.apply(key);
    DP_TRY(key.id, api_keys::create(tx, {key, secret, s.sealer, now}));
    DP_TRY(const auto stored, api_keys::get(tx, key.owner, key.id));
    created = key_json(stored);
    return {};
  }));
  created["full_key"] = secret;
  return boost::json::value(std::move(created));
}

Answer update_key(const Portal& p, const Request& request) {
  const webapi::Services& s = p.services;
  const int64_t now = webapi::now_ms(s);
  DP_TRY(const auto id, webapi::path_id<base::ApiKeyId>(request, 0, kWhat));
  Fields body(request.body);
  DP_TRY(const KeyFields fields, read_key(body, now));
  DP_CHECK(p.guards.key_change(request.user.id));
  boost::json::object updated;
  DP_CHECK(webapi::commit_change(s, [&](sql::Writer& tx) -> Result<void> {
    DP_TRY(auto stored, api_keys::get(tx, request.user.id, id));
    DP_CHECK(check_models(tx, request.user.id, fields));
    fields.apply(stored.key);
    DP_CHECK(api_keys::update(tx, stored.key, now));
    DP_TRY(const auto fresh, api_keys::get(tx, request.user.id, id));
    updated = key_json(fresh);
    return {};
  }));
  return boost::json::value(std::move(updated));
}

Answer delete_key(const Portal& p, const Request& request) {
  DP_TRY(const auto id, webapi::path_id<base::ApiKeyId>(request, 0, kWhat));
  DP_CHECK(p.guards.key_change(request.user.id));
  DP_CHECK(webapi::commit_change(
      p.services, [&](sql::Writer& tx) { return api_keys::remove(tx, request.user.id, id); }));
  return boost::json::value();
}

Answer reveal_key(const Portal& p, const Request& request) {
  DP_TRY(const auto id, webapi::path_id<base::ApiKeyId>(request, 0, kWhat));
  DP_TRY(auto reader, p.services.database.read());
  DP_TRY(const std::string secret,
         api_keys::reveal(reader, p.services.sealer, request.user.id, id));
  return boost::json::value{{"full_key", secret}};
}

}  // namespace

std::vector<http::Route> api_key_routes(const Portal& p) {
  const auto at = webapi::blocking_with(p.services, p);
  using webapi::kMaxBody;
  return {
      {Method::get, "/api/v1/apikeys", Access::user, kMaxBody, at(list_keys)},
      {Method::post, "/api/v1/apikeys", Access::user, kMaxBody, at(create_key)},
      {Method::patch, "/api/v1/apikeys/{id}", Access::user, kMaxBody, at(update_key)},
      {Method::del, "/api/v1/apikeys/{id}", Access::user, kMaxBody, at(delete_key)},
      {Method::get, "/api/v1/apikeys/{id}/secret", Access::user, kMaxBody, at(reveal_key)},
  };
}

}  // namespace deeppool::portalapi
