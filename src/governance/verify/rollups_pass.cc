// Daily sums against the usage rows, each roll-up against the table that it sums up, cell by cell;
// the database adds them up.
#include <fmt/format.h>

#include "governance/verify/passes.h"

#define DP_SUMMED                                                                   \
  " requests, prompt_tokens, cached_tokens, cache_write_tokens, completion_tokens," \
  " reasoning_tokens, charged FROM "
#define DP_OFF(column) "SUM(n * " column ")"
// The cells (columns `names`) whose sums in one of two tables are not those in the other.
#define DP_DIFFERENCES(names, rollup_cell, rollup, part_cell, part) \
  "SELECT " DP_OFF("requests") ", " DP_OFF("charged") ", " names                     \
  " FROM (SELECT 1 AS n, " rollup_cell "," DP_SUMMED rollup                          \
  " UNION ALL SELECT -1 AS n, " part_cell "," part ") cells GROUP BY " names         \
  " HAVING " DP_OFF("requests") " <> 0 OR " DP_OFF("prompt_tokens") " <> 0"          \
  " OR " DP_OFF("cached_tokens") " <> 0 OR " DP_OFF("cache_write_tokens") " <> 0"    \
  " OR " DP_OFF("completion_tokens") " <> 0 OR " DP_OFF("reasoning_tokens") " <> 0"  \
  " OR " DP_OFF("charged") " <> 0"
// The day of a request in milliseconds: engines divide differently, and multiply alike.
#define DP_DAY_OF_USAGE "started_at - started_at % 86400000"

namespace deeppool::governance::verify {
namespace {

void note(Report& report, std::string_view cell, const sql::Row& row) {
  report.broken(Invariant::quotas,
                fmt::format("{}: off by {} requests, {} yuan, or in its tokens", cell,
                            row.get<int64_t>(0), row.get<base::Money>(1).to_string()));
}

void note_key(Report& report, std::string_view what, const sql::Row& row) {
  note(report,
       fmt::format("{} {} of user {}, key {}", what, row.get<int64_t>(2), row.get<int64_t>(3),
                   row.get<int64_t>(4)),
       row);
}

Result<void> check_days(sql::Reader& reader, Report& report) {
  constexpr int64_t kDayMs = 86'400'000;
  return reader.for_each(
      [&](const sql::Row& row) {
        note(report,
             fmt::format("day {} of user {}, key {}, model {}, {}", row.get<int64_t>(2) / kDayMs,
                         row.get<int64_t>(3), row.get<int64_t>(4), row.get<std::string_view>(5),
                         row.get<std::string_view>(6)),
             row);
      },
      DP_DIFFERENCES("a, b, c, d, e",
                     "day * 86400000 AS a, user_id AS b, key_id AS c, model_name AS d, source AS e",
                     "token_usage_daily", DP_DAY_OF_USAGE ", user_id, key_id, model_name, source",
                     "COUNT(*), SUM(prompt_tokens), SUM(cached_tokens), SUM(cache_write_tokens),"
                     " SUM(completion_tokens), SUM(reasoning_tokens), SUM(charged)"
                     " FROM usage_records GROUP BY " DP_DAY_OF_USAGE
                     ", user_id, key_id, model_name, source"));
}

}  // namespace

Result<void> check_rollups(sql::Reader& reader, Report& report) {
  DP_CHECK(check_days(reader, report));
  DP_CHECK(reader.for_each(
      [&](const sql::Row& row) {
        note(report,
             fmt::format("all of day {}, model {}, {}", row.get<int64_t>(2),
                         row.get<std::string_view>(3), row.get<std::string_view>(4)),
             row);
      },
      DP_DIFFERENCES("a, b, c", "day AS a, model_name AS b, source AS c",
                     "token_usage_daily_totals", "day, model_name, source",
                     DP_SUMMED "token_usage_daily")));
  DP_CHECK(reader.for_each(
      [&](const sql::Row& row) { note_key(report, "day", row); },
      DP_DIFFERENCES("a, b, c", "day AS a, user_id AS b, key_id AS c", "token_usage_daily_keys",
                     "day, user_id, key_id", DP_SUMMED "token_usage_daily")));
  return reader.for_each([&](const sql::Row& row) { note_key(report, "the week from day", row); },
                         DP_DIFFERENCES("a, b, c", "first_day AS a, user_id AS b, key_id AS c",
                                        "token_usage_weekly_keys", "day - day % 7, user_id, key_id",
                                        DP_SUMMED "token_usage_daily_keys"));
}

}  // namespace deeppool::governance::verify
