// Usage and its days as /api/v1 shows them. Days are UTC, written 2026-01-31. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "governance/usage/usage_store.h"

namespace deeppool::webapi {

boost::json::object totals_json(const governance::UsageTotals& totals);
// Days since 1970-01-01 from and to their text.
std::optional<int64_t> parse_day(std::string_view text);
std::string day_text(int64_t day);

}  // namespace deeppool::webapi
