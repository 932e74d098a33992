#include "adminapi/platform.h"

#include <boost/json/parse.hpp>

#include "adminapi/audit_store.h"
#include "adminapi/audited_change.h"
#include "governance/usage/usage_row.h"
#include "identity/api_key_store.h"
#include "identity/user_store.h"
#include "provider/endpoint_store.h"
#include "provider/model_store.h"
#include "settings/config_version.h"
#include "settings/platform_settings.h"
#include "webapi/fields.h"
#include "webapi/limits.h"
#include "webapi/paging.h"
#include "webapi/usage_json.h"

namespace deeppool::adminapi {
namespace {

using http::Access;
using http::Method;
using settings::PlatformSettings;
using settings::Setting;
using webapi::Answer;
using webapi::Fields;
using webapi::Request;

std::string_view limits_mode_name(LimitsMode mode) {
  switch (mode) {
    case LimitsMode::own:
      return "own";
    case LimitsMode::shared:
      return "shared";
    case LimitsMode::degraded:
      break;
  }
  return "degraded";
}

// How many endpoints in force stand how.
boost::json::object standings_json(const Admin& admin) {
  std::array<int64_t, 3> counts{};
  const auto catalog = admin.catalog.current();
  const base::Instant now = admin.services.clock.now();
  for (const auto& endpoint : catalog->endpoints()) {
    ++counts[static_cast<size_t>(endpoint->health->view(now).standing)];
  }
  boost::json::object out;
  for (const auto standing :
       {provider::Standing::healthy, provider::Standing::ejected, provider::Standing::half_open}) {
    out[provider::to_string(standing)] = counts[static_cast<size_t>(standing)];
  }
  return out;
}

Answer dashboard(const Admin& admin, const Request&) {
  DP_TRY(auto reader, admin.services.database.read());
  DP_TRY(const auto users, identity::users::count(reader));
  DP_TRY(const auto keys, identity::api_keys::count(reader));
  DP_TRY(const auto models, provider::models::count(reader));
  DP_TRY(const auto endpoints, provider::endpoints::count(reader));
  DP_TRY(const int64_t version, settings::config_version(reader));
  const int64_t today = governance::usage_day(webapi::now_ms(admin.services));
  governance::UsageFilter filter;
  filter.from_day = filter.to_day = today;
  DP_TRY(const auto used, admin.usage.summary(filter));
  const LiveFigures live = admin.live();
  return boost::json::value{
      {"users", {{"total", users.total}, {"enabled", users.enabled}, {"admins", users.admins}}},
      {"api_keys", {{"total", keys.total}, {"enabled", keys.enabled}}},
      {"models", {{"total", models.total}, {"enabled", models.enabled}}},
      {"endpoints", {{"total", endpoints.total}, {"enabled", endpoints.enabled}}},
      {"today", webapi::totals_json(used)},
      {"config_version", version},
      {"live",
       {{"requests_in_flight", live.requests_in_flight},
        {"connections", live.connections},
        {"limits", limits_mode_name(live.limits)},
        {"instances", live.instances},
        {"api_keys_in_force", admin.keys.current()->size()},
        {"endpoints_in_force", standings_json(admin)},
        {"models_in_force", admin.catalog.current()->models().size()}}}};
}

boost::json::value setting_value(const Setting& setting, int64_t value) {
  if (setting.kind == settings::Kind::flag) return value != 0;
  return value;
}

boost::json::object settings_json(const PlatformSettings& current) {
  boost::json::object out;
  for (const Setting& setting : settings::all_settings()) {
    out[setting.name] = setting_value(setting, current.*setting.value);
  }
  return out;
}

Answer show_settings(const Admin& admin, const Request&) {
  DP_TRY(auto reader, admin.services.database.read());
  DP_TRY(const PlatformSettings current, settings::load(reader));
  boost::json::array known;
  for (const Setting& setting : settings::all_settings()) {
    known.push_back({{"name", setting.name},
                     {"type", setting.kind == settings::Kind::flag ? "boolean" : "integer"},
                     {"default", setting_value(setting, PlatformSettings().*setting.value)},
                     {"min", setting.min},
                     {"max", setting.max},
                     {"meaning", setting.meaning}});
  }
  return boost::json::value{{"settings", settings_json(current)}, {"known", std::move(known)}};
}

struct Assignment {
  const Setting* setting;
  int64_t value;
};

Result<std::vector<Assignment>> read_settings(const Request& request) {
  Fields body(request.body);
  std::vector<Assignment> out;
  for (const Setting& setting : settings::all_settings()) {
    std::optional<int64_t> number;
    if (setting.kind == settings::Kind::flag) {
      if (const auto flag = body.flag(setting.name)) number = *flag ? 1 : 0;
    } else {
      number = body.integer(setting.name, {.min = setting.min, .max = setting.max});
    }
    if (number) out.push_back({&setting, *number});
  }
  DP_CHECK(body.finish());
  return out;
}

Answer change_settings(const Admin& admin, const Request& request) {
  DP_TRY(const auto wanted, read_settings(request));
  boost::json::object updated;
  DP_CHECK(audited_change(admin.services, request, [&](sql::Writer& tx) -> Result<Change> {
    DP_TRY(const PlatformSettings before, settings::load(tx));
    for (const auto& [setting, value] : wanted) {
      DP_CHECK(settings::store(tx, *setting, value, webapi::now_ms(admin.services)));
    }
    DP_TRY(const PlatformSettings after, settings::load(tx));
    updated = settings_json(after);
    return Change{"platform_config.update", "platform_config", "",
                  difference(settings_json(before), updated)};
  }));
  return boost::json::value{{"settings", std::move(updated)}};
}

boost::json::value entry_json(const audit::Entry& e) {
  boost::system::error_code failed;
  boost::json::value detail = boost::json::parse(e.detail, failed);
  return {{"id", e.id},
          {"at", e.at_ms},
          {"actor_user_id", e.actor.value},
          {"actor_name", e.actor_name},
          {"action", e.action},
          {"object_type", e.object_type},
          {"object_id", e.object_id},
          {"detail", failed ? boost::json::value(e.detail) : std::move(detail)},
          {"ip", e.ip}};
}

Answer list_audit(const Admin& admin, const Request& request) {
  DP_TRY(const webapi::SearchPaging paging, webapi::search_paging_of(request));
  DP_TRY(const auto from, webapi::integer_of(request, "from"));
  DP_TRY(const auto to, webapi::integer_of(request, "to"));
  DP_TRY(auto reader, admin.services.database.read());
  DP_TRY(const auto found,
         audit::search(reader, {.keyword = paging.keyword,
                                .actor = request.query("actor"),
                                .action = request.query("action"),
                                .object_type = request.query("object_type"),
                                .object_id = request.query("object_id"),
                                .from_ms = from.value_or(0),
                                .to_ms = to.value_or(std::numeric_limits<int64_t>::max()),
                                .limit = paging.size,
                                .offset = paging.offset()}));
  boost::json::array items;
  for (const audit::Entry& entry : found.entries) items.push_back(entry_json(entry));
  return webapi::page_of(paging, std::move(items), found.total);
}

}  // namespace

std::vector<http::Route> platform_routes(const Admin& admin) {
  const auto at = webapi::blocking_with(admin.services, admin);
  using webapi::kMaxBody;
  return {
      {Method::get, "/api/v1/admin/dashboard", Access::admin, kMaxBody, at(dashboard)},
      {Method::get, "/api/v1/admin/platform-config", Access::admin, kMaxBody, at(show_settings)},
      {Method::put, "/api/v1/admin/platform-config", Access::admin, kMaxBody, at(change_settings)},
      {Method::get, "/api/v1/admin/audit-log", Access::admin, kMaxBody, at(list_audit)},
  };
}

}  // namespace deeppool::adminapi
