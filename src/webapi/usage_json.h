// Usage as /api/v1 shows it, and the words for it. Days are UTC, written 2026-01-31; amounts are
// decimal text in yuan. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "governance/usage/request_log.h"
#include "governance/usage/usage_store.h"

namespace deeppool::webapi {

// user: sees what is their own. admin: sees all, or one user by `user_id`.
enum class Audience { user, admin };

boost::json::object totals_json(const governance::UsageTotals& totals);
// Which upstream answered is for administrators.
boost::json::object request_json(const governance::RequestEntry& entry, Audience audience);

// The field that a row of a grouping has besides its totals.
std::string_view group_name(governance::GroupBy group);
boost::json::value group_value(governance::GroupBy group, const governance::ConsumptionRow& row);

// Prompt tokens that were neither read from nor written to a cache.
int64_t input_tokens(const governance::UsageTotals& totals);
int64_t input_tokens(const governance::RequestEntry& entry);

// Days since 1970-01-01 from and to their text.
std::optional<int64_t> parse_day(std::string_view text);
std::string day_text(int64_t day);

}  // namespace deeppool::webapi
