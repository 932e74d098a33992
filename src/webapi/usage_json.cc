#include "webapi/usage_json.h"

#include <chrono>
#include <cstdio>

#include "base/text.h"

namespace deeppool::webapi {

boost::json::object totals_json(const governance::UsageTotals& t) {
  return {{"requests", t.requests},
          {"prompt_tokens", t.prompt_tokens},
          {"cached_tokens", t.cached_tokens},
          {"completion_tokens", t.completion_tokens},
          {"reasoning_tokens", t.reasoning_tokens},
          {"cache_write_tokens", t.cache_write_tokens},
          {"total_tokens", t.prompt_tokens + t.completion_tokens},
          {"cost_yuan", t.charged.to_string()}};
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
