// Each roll-up against the table that it sums up, cell by cell; the database adds them up.
#include <fmt/format.h>

#include "governance/verify/passes.h"

#define DP_SUMMED                                                                   \
  " requests, prompt_tokens, cached_tokens, cache_write_tokens, completion_tokens," \
  " reasoning_tokens, charged FROM "
#define DP_OFF(column) "SUM(n * " column ")"
// The cells of `rollup` (three columns: a, b, c) whose sums are not those of `part`.
#define DP_DIFFERENCES(rollup_cell, rollup, part_cell, part) \
  "SELECT a, b, c, " DP_OFF("requests") ", " DP_OFF("charged")                              \
  " FROM (SELECT 1 AS n, " rollup_cell "," DP_SUMMED rollup                                 \
  " UNION ALL SELECT -1 AS n, " part_cell "," DP_SUMMED part ") cells GROUP BY a, b, c"     \
  " HAVING " DP_OFF("requests") " <> 0 OR " DP_OFF("prompt_tokens") " <> 0"                 \
  " OR " DP_OFF("cached_tokens") " <> 0 OR " DP_OFF("cache_write_tokens") " <> 0"           \
  " OR " DP_OFF("completion_tokens") " <> 0 OR " DP_OFF("reasoning_tokens") " <> 0"         \
  " OR " DP_OFF("charged") " <> 0"

namespace deeppool::governance::verify {
namespace {

void note(Report& report, std::string_view cell, const sql::Row& row) {
  report.broken(Invariant::quotas,
                fmt::format("{}: off by {} requests, {} yuan, or in its tokens", cell,
                            row.get<int64_t>(3), row.get<base::Money>(4).to_string()));
}

void note_key(Report& report, std::string_view what, const sql::Row& row) {
  note(report,
       fmt::format("{} {} of user {}, key {}", what, row.get<int64_t>(0), row.get<int64_t>(1),
                   row.get<int64_t>(2)),
       row);
}

}  // namespace

Result<void> check_rollups(sql::Reader& reader, Report& report) {
  DP_CHECK(reader.for_each(
      [&](const sql::Row& row) {
        note(report,
             fmt::format("all of day {}, model {}, {}", row.get<int64_t>(0),
                         row.get<std::string_view>(1), row.get<std::string_view>(2)),
             row);
      },
      DP_DIFFERENCES("day AS a, model_name AS b, source AS c", "token_usage_daily_totals",
                     "day, model_name, source", "token_usage_daily")));
  DP_CHECK(reader.for_each(
      [&](const sql::Row& row) { note_key(report, "day", row); },
      DP_DIFFERENCES("day AS a, user_id AS b, key_id AS c", "token_usage_daily_keys",
                     "day, user_id, key_id", "token_usage_daily")));
  return reader.for_each(
      [&](const sql::Row& row) { note_key(report, "the week from day", row); },
      DP_DIFFERENCES("first_day AS a, user_id AS b, key_id AS c", "token_usage_weekly_keys",
                     "day - day % 7, user_id, key_id", "token_usage_daily_keys"));
}

}  // namespace deeppool::governance::verify
