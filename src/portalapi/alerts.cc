#include "portalapi/alerts.h"

#include <boost/json/parse.hpp>

#include "governance/alerts/alert_store.h"
#include "governance/alerts/limits.h"
#include "identity/api_key_store.h"
#include "identity/tokens.h"
#include "portalapi/public_url.h"
#include "sql/transaction.h"
#include "webapi/fields.h"
#include "webapi/handler.h"
#include "webapi/limits.h"
#include "webapi/paging.h"

namespace deeppool::portalapi {
namespace {

namespace alerts = governance::alerts;
using alerts::Kind;
using alerts::Rule;
using base::Money;
using webapi::Answer;
using webapi::Fields;
using webapi::Request;

constexpr std::string_view kSecretMark = "whsec-";
constexpr Money kMaxBelow = Money::units(100'000'000 * Money::kUnitsPerYuan);

// Nothing in the text is a fraction outside quotes, so no amount passes through floating point.
boost::json::value shown(const alerts::Alert& alert) {
  return boost::json::parse(alerts::alert_json(alert));
}

boost::json::object rule_json(const Rule& rule) {
  boost::json::object out = {
      {"id", rule.id.value}, {"kind", to_string(rule.kind)}, {"created_at", rule.created_at_ms}};
  if (rule.kind == Kind::balance) {
    out["below_yuan"] = rule.below.to_string();
    return out;
  }
  out["share_percent"] = rule.share_percent;
  out["key_id"] = nullptr;
  if (rule.key) out["key_id"] = rule.key.value;
  return out;
}

Answer list_rules(const Portal& p, const Request& request) {
  DP_TRY(auto reader, p.services.database.read());
  DP_TRY(const auto rules, alerts::rules_of(reader, request.user.id));
  boost::json::array items;
  for (const Rule& rule : rules) items.push_back(rule_json(rule));
  return boost::json::value{{"items", std::move(items)}};
}

void require(Fields& body, const std::string& name, const char* kind) {
  if (body.given(name)) return;
  body.fail(Error::invalid(name, "`" + name + "` is required for the kind " + kind + "."));
}

Result<Rule> read_rule(const Request& request) {
  Rule rule;
  rule.user = request.user.id;
  Fields body(request.body);
  const auto kind = body.choice("kind", {"balance", "quota"});
  if (!kind) body.fail(Error::invalid("kind", "`kind` must be balance or quota."));
  rule.kind = kind == "quota" ? Kind::quota : Kind::balance;
  if (rule.kind == Kind::balance) {
    rule.below = body.money("below_yuan", {-kMaxBelow, kMaxBelow}).value_or(Money());
    require(body, "below_yuan", "balance");
  } else {
    rule.share_percent =
        body.integer("share_percent", {.min = 1, .max = alerts::kMaxSharePercent}).value_or(0);
    require(body, "share_percent", "quota");
    rule.key = base::ApiKeyId{body.integer("key_id", {.min = 1}).value_or(0)};
  }
  DP_CHECK(body.finish());
  return rule;
}

Answer create_rule(const Portal& p, const Request& request) {
  DP_TRY(Rule rule, read_rule(request));
  rule.created_at_ms = webapi::now_ms(p.services);
  DP_CHECK(sql::run_transaction(p.services.database, [&](sql::Writer& tx) -> Result<void> {
    if (rule.key) {
      const auto key = identity::api_keys::get(tx, rule.user, rule.key);
      if (!key) return Error::invalid("key_id", "There is no such API key.");
    }
    DP_TRY(rule.id, alerts::add_rule(tx, rule));
    return {};
  }));
  return boost::json::value(rule_json(rule));
}

Answer delete_rule(const Portal& p, const Request& request) {
  DP_TRY(const auto id, webapi::path_id<alerts::RuleId>(request, 0, "alert rule"));
  const int64_t now = webapi::now_ms(p.services);
  DP_CHECK(sql::run_transaction(p.services.database, [&](sql::Writer& tx) {
    return alerts::remove_rule(tx, request.user.id, id, now);
  }));
  return boost::json::value();
}

Answer list_alerts(const Portal& p, const Request& request) {
  DP_TRY(const webapi::Paging paging, webapi::paging_of(request));
  DP_TRY(const auto open, webapi::flag_of(request, "open"));
  DP_TRY(auto reader, p.services.database.read());
  DP_TRY(const auto found,
         alerts::search(
             reader, request.user.id,
             {.only_open = open.value_or(false), .limit = paging.size, .offset = paging.offset()}));
  boost::json::array items;
  for (const alerts::Alert& alert : found.alerts) items.push_back(shown(alert));
  return webapi::page_of(paging, std::move(items), found.total);
}

Answer acknowledge_alert(const Portal& p, const Request& request) {
  DP_TRY(const auto id, webapi::path_id<alerts::AlertId>(request, 0, "alert"));
  const int64_t now = webapi::now_ms(p.services);
  DP_TRY(const alerts::Alert alert, sql::run_transaction(p.services.database, [&](sql::Writer& tx) {
           return alerts::acknowledge(tx, request.user.id, id, now);
         }));
  return shown(alert);
}

http::Reach reach_of(alerts::Targets targets) {
  return targets == alerts::Targets::anywhere ? http::Reach::anywhere : http::Reach::public_only;
}

Answer show_webhook(const Portal& p, const Request& request) {
  DP_TRY(auto reader, p.services.database.read());
  DP_TRY(const auto webhook, alerts::webhook_of(reader, request.user.id));
  if (!webhook) return boost::json::value{{"url", nullptr}};
  return boost::json::value{{"url", webhook->url}, {"updated_at", webhook->updated_at_ms}};
}

// Each time with a new secret, shown in this answer only.
Answer set_webhook(const Portal& p, const Request& request) {
  const webapi::Services& s = p.services;
  Fields body(request.body);
  const std::string url = body.required_text("url", {.min = 1, .max = alerts::kMaxUrlBytes});
  DP_CHECK(body.finish());
  DP_CHECK(check_public_url("url", url, reach_of(p.alert_targets)));
  const std::string secret = identity::make_token(kSecretMark, s.random);
  const int64_t now = webapi::now_ms(s);
  DP_CHECK(sql::run_transaction(s.database, [&](sql::Writer& tx) {
    return alerts::set_webhook(tx, {request.user.id, url, secret, s.sealer, now});
  }));
  return boost::json::value{{"url", url}, {"updated_at", now}, {"secret", secret}};
}

// Sent with the next pass; the alert's `delivery` tells what came of it.
Answer test_webhook(const Portal& p, const Request& request) {
  const int64_t now = webapi::now_ms(p.services);
  DP_TRY(const alerts::Alert alert, sql::run_transaction(p.services.database, [&](sql::Writer& tx) {
           return alerts::test_webhook(tx, request.user.id, now);
         }));
  return shown(alert);
}

Answer remove_webhook(const Portal& p, const Request& request) {
  DP_CHECK(sql::run_transaction(p.services.database, [&](sql::Writer& tx) {
    return alerts::remove_webhook(tx, request.user.id);
  }));
  return boost::json::value();
}

}  // namespace

std::vector<http::Route> alert_routes(const Portal& p) {
  const auto at = webapi::blocking_with(p.services, p);
  using http::Access;
  using http::Method;
  using webapi::kMaxBody;
  return {
      {Method::get, "/api/v1/alerts", Access::user, kMaxBody, at(list_alerts)},
      {Method::post, "/api/v1/alerts/{id}/acknowledge", Access::user, kMaxBody,
       at(acknowledge_alert)},
      {Method::get, "/api/v1/alert-rules", Access::user, kMaxBody, at(list_rules)},
      {Method::post, "/api/v1/alert-rules", Access::user, kMaxBody, at(create_rule)},
      {Method::del, "/api/v1/alert-rules/{id}", Access::user, kMaxBody, at(delete_rule)},
      {Method::get, "/api/v1/alert-webhook", Access::user, kMaxBody, at(show_webhook)},
      {Method::put, "/api/v1/alert-webhook", Access::user, kMaxBody, at(set_webhook)},
      {Method::post, "/api/v1/alert-webhook/test", Access::user, kMaxBody, at(test_webhook)},
      {Method::del, "/api/v1/alert-webhook", Access::user, kMaxBody, at(remove_webhook)},
  };
}

}  // namespace deeppool::portalapi
