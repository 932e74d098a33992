#include "webapi/usage_json.h"

#include <boost/json/value_from.hpp>
#include <chrono>
#include <cstdio>

#include "base/text.h"

namespace deeppool::webapi {

using governance::ConsumptionRow;
using governance::GroupBy;
using governance::RequestEntry;
using governance::UsageTotals;

int64_t input_tokens(const UsageTotals& t) {
  return t.prompt_tokens - t.cached_tokens - t.cache_write_tokens;
}

int64_t input_tokens(const RequestEntry& e) {
  return e.prompt_tokens - e.cached_tokens - e.cache_write_tokens;
}

boost::json::object totals_json(const UsageTotals& t) {
  return {{"requests", t.requests},
          {"prompt_tokens", t.prompt_tokens},
          {"input_tokens", input_tokens(t)},
          {"cached_tokens", t.cached_tokens},
          {"cache_write_tokens", t.cache_write_tokens},
          {"completion_tokens", t.completion_tokens},
          {"reasoning_tokens", t.reasoning_tokens},
          {"total_tokens", t.prompt_tokens + t.completion_tokens},
          {"cost_yuan", t.charged.to_string()}};
}

boost::json::object request_json(const RequestEntry& e, Audience audience) {
  boost::json::object out = {{"request_id", e.id.to_string()},
                             {"started_at", e.started_at_ms},
                             {"key_id", e.key.value},
                             {"model", e.model},
                             {"served_model", e.served_model.empty() ? e.model : e.served_model},
                             {"api", e.api},
                             {"source", e.source},
                             {"outcome", e.outcome},
                             {"error_code", e.error_code},
                             {"status", e.status},
                             {"stream", e.stream},
                             {"duration_ms", e.duration_ms},
                             {"first_token_ms", nullptr},
                             {"attempts", e.attempts},
                             {"prompt_tokens", e.prompt_tokens},
                             {"input_tokens", input_tokens(e)},
                             {"cached_tokens", e.cached_tokens},
                             {"cache_write_tokens", e.cache_write_tokens},
                             {"completion_tokens", e.completion_tokens},
                             {"reasoning_tokens", e.reasoning_tokens},
                             {"usage_source", e.usage_source},
                             {"price_id", nullptr},
                             {"grant_tokens", e.grant_tokens},
                             {"discount_ppm", e.discount_ppm},
                             {"cost_yuan", e.charged.to_string()}};
  if (e.first_token_ms) out["first_token_ms"] = *e.first_token_ms;
  if (e.price) out["price_id"] = e.price->value;
  if (audience == Audience::user) return out;
  out["user_id"] = e.user.value;
  out["endpoint_id"] = nullptr;
  if (e.endpoint) out["endpoint_id"] = e.endpoint->value;
  out["upstream_request_id"] = e.upstream_request_id;
  out["deviates"] = e.deviates;
  return out;
}

std::string_view group_name(GroupBy group) {
  switch (group) {
    case GroupBy::day:
      return "day";
    case GroupBy::model:
      return "model";
    case GroupBy::key:
      return "key_id";
    case GroupBy::source:
      return "source";
    case GroupBy::user:
      break;
  }
  return "user_id";
}

boost::json::value group_value(GroupBy group, const ConsumptionRow& row) {
  switch (group) {
    case GroupBy::day:
      return boost::json::value_from(day_text(row.day));
    case GroupBy::model:
      return boost::json::value_from(row.model);
    case GroupBy::key:
      return row.key.value;
    case GroupBy::source:
      return boost::json::value_from(row.source);
    case GroupBy::user:
      break;
  }
  return row.user.value;
}

std::optional<int64_t> parse_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto y = base::parse_int<uint16_t>(text.substr(0, 4));
  const auto m = base::parse_int<uint8_t>(text.substr(5, 2));
  const auto d = base::parse_int<uint8_t>(text.substr(8, 2));
  if (!y || !m || !d) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*y), std::chrono::month(*m),
                                         std::chrono::day(*d)};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

std::string day_text(int64_t day) {
  const std::chrono::year_month_day date{
      std::chrono::sys_days(std::chrono::days(static_cast<int>(day)))};
  char text[16];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text;
}

}  // namespace deeppool::webapi
