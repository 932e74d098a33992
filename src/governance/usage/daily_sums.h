// The applier's sums per day: token_usage_daily, and its roll-ups for pages about everybody, by day
// and by week (seven days from a multiple of 7). For UsageStore's transaction alone; its thread.
// Invariant: each roll-up has the sums of the rows of token_usage_daily that share its key.
#pragma once

#include <vector>

#include "base/error.h"
#include "governance/usage/usage_row.h"
#include "sql/session.h"

namespace deeppool::governance {

inline constexpr int64_t kDaysOfWeek = 7;

// internal: a sum beyond Money.
Result<void> add_to_daily_sums(sql::Writer& tx, const std::vector<const UsageRow*>& rows);

}  // namespace deeppool::governance
