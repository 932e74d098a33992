// The reading half of UsageStore: sums over token_usage_daily and its roll-ups. A user's and
// everybody's sums are separate texts, because each has its own table or index.
#include <algorithm>

#include "governance/limits.h"
#include "governance/usage/daily_sums.h"
#include "governance/usage/usage_store.h"

#define DP_USAGE_SUMS                                                                         \
  "COALESCE(SUM(requests), 0) AS requests, COALESCE(SUM(prompt_tokens), 0) AS prompt_tokens," \
  " COALESCE(SUM(cached_tokens), 0) AS cached_tokens,"                                        \
  " COALESCE(SUM(cache_write_tokens), 0) AS cache_write_tokens,"                              \
  " COALESCE(SUM(completion_tokens), 0) AS completion_tokens,"                                \
  " COALESCE(SUM(reasoning_tokens), 0) AS reasoning_tokens, COALESCE(SUM(charged), 0) AS charged"
#define DP_USAGE_FILTERS " AND (? = '' OR model_name = ?) AND (? = '' OR source = ?)"
#define DP_OF_USER                                                      \
  " FROM token_usage_daily WHERE user_id = ? AND day >= ? AND day <= ?" \
  " AND (? = 0 OR key_id = ?)" DP_USAGE_FILTERS
#define DP_OF_ALL " FROM token_usage_daily WHERE day >= ? AND day <= ?" DP_USAGE_FILTERS
#define DP_OF_TOTALS " FROM token_usage_daily_totals WHERE day >= ? AND day <= ?" DP_USAGE_FILTERS
#define DP_KEY_COLUMNS                                                                  \
  "SELECT user_id, key_id, requests, prompt_tokens, cached_tokens, cache_write_tokens," \
  " completion_tokens, reasoning_tokens, charged FROM "
// Whole weeks, and the days before and after them.
#define DP_OF_KEYS                                                  \
  " FROM (" DP_KEY_COLUMNS                                          \
  "token_usage_weekly_keys WHERE first_day >= ? AND first_day <= ?" \
  " UNION ALL " DP_KEY_COLUMNS                                      \
  "token_usage_daily_keys WHERE day >= ? AND day <= ?"              \
  " UNION ALL " DP_KEY_COLUMNS "token_usage_daily_keys WHERE day >= ? AND day <= ?) sums"
// A page of groups, each with how many there are in all: the rows are read once. Ordered outside of
// the grouping, because MariaDB 10.11 forgets an order beside a window.
#define DP_GROUPS(column, order, rows)                                                          \
  {"SELECT COUNT(DISTINCT " column ")" rows,                                                    \
   "SELECT g.name, g.requests, g.prompt_tokens, g.cached_tokens, g.cache_write_tokens,"         \
   " g.completion_tokens, g.reasoning_tokens, g.charged, COUNT(*) OVER () FROM"                 \
   " (SELECT " column " AS name, " DP_USAGE_SUMS rows " GROUP BY " column ") g ORDER BY " order \
   " LIMIT ? OFFSET ?"}
#define DP_NEWEST_FIRST "g.name DESC"
#define DP_LARGEST_FIRST "g.prompt_tokens + g.completion_tokens DESC, g.name"

namespace deeppool::governance {
namespace {

void read_totals(const sql::Row& row, size_t column, UsageTotals& t) {
  t.requests = row.get<int64_t>(column);
  t.prompt_tokens = row.get<int64_t>(column + 1);
  t.cached_tokens = row.get<int64_t>(column + 2);
  t.cache_write_tokens = row.get<int64_t>(column + 3);
  t.completion_tokens = row.get<int64_t>(column + 4);
  t.reasoning_tokens = row.get<int64_t>(column + 5);
  t.charged = row.get<base::Money>(column + 6);
}

struct TotalsRow : UsageTotals {
  static TotalsRow from_row(const sql::Row& row) {
    TotalsRow t;
    read_totals(row, 0, t);
    return t;
  }
};

// A row of a grouping: its group's value, the sums, and how many groups there are.
template <auto kGroup>
struct GroupRow : ConsumptionRow {
  int64_t groups = 0;
  static GroupRow from_row(const sql::Row& row) {
    GroupRow r;
    r.*kGroup = row.get<std::remove_reference_t<decltype(r.*kGroup)>>(0);
    read_totals(row, 1, r.totals);
    r.groups = row.get<int64_t>(8);
    return r;
  }
};

template <size_t kFilters>
struct Groups {
  sql::Sql<kFilters> count;
  sql::Sql<kFilters + 2> page;
};
// A user's own; everybody's, from the smallest table that can tell.
struct Grouping {
  Groups<9> of_user;
  Groups<6> of_all;
};

constexpr Grouping kByDay = {DP_GROUPS("day", DP_NEWEST_FIRST, DP_OF_USER),
                             DP_GROUPS("day", DP_NEWEST_FIRST, DP_OF_TOTALS)};
constexpr Grouping kByModel = {DP_GROUPS("model_name", DP_LARGEST_FIRST, DP_OF_USER),
                               DP_GROUPS("model_name", DP_LARGEST_FIRST, DP_OF_TOTALS)};
constexpr Grouping kBySource = {DP_GROUPS("source", DP_LARGEST_FIRST, DP_OF_USER),
                                DP_GROUPS("source", DP_LARGEST_FIRST, DP_OF_TOTALS)};
constexpr Grouping kByKey = {DP_GROUPS("key_id", DP_LARGEST_FIRST, DP_OF_USER),
                             DP_GROUPS("key_id", DP_LARGEST_FIRST, DP_OF_ALL)};
constexpr Grouping kByUser = {DP_GROUPS("user_id", DP_LARGEST_FIRST, DP_OF_USER),
                              DP_GROUPS("user_id", DP_LARGEST_FIRST, DP_OF_ALL)};
// As long as neither a model nor a source is asked for.
constexpr Groups<6> kKeysOfAll = DP_GROUPS("key_id", DP_LARGEST_FIRST, DP_OF_KEYS);
constexpr Groups<6> kUsersOfAll = DP_GROUPS("user_id", DP_LARGEST_FIRST, DP_OF_KEYS);

template <auto kGroup, size_t kFilters, class... Filters>
Result<Consumption> run(sql::Reader& reader, const Groups<kFilters>& texts, Page page,
                        const Filters&... filters) {
  const int64_t size = std::clamp<int64_t>(page.size, 1, kMaxExportPage);
  const int64_t skip = (std::max<int64_t>(page.number, 1) - 1) * size;
  Consumption out;
  DP_TRY(const auto rows, reader.query<GroupRow<kGroup>>(texts.page, filters..., size, skip));
  out.rows.assign(rows.begin(), rows.end());
  if (!rows.empty()) {
    out.total = rows.front().groups;
  } else if (skip > 0) {  // a page behind the last one cannot tell
    DP_TRY(out.total, reader.query_value<int64_t>(texts.count, filters...));
  }
  return out;
}

template <auto kGroup>
Result<Consumption> run(sql::Reader& reader, const Grouping& texts, const UsageFilter& f,
                        Page page) {
  if (!f.user) {
    return run<kGroup>(reader, texts.of_all, page, f.from_day, f.to_day, f.model, f.model, f.source,
                       f.source);
  }
  const base::ApiKeyId key = f.key.value_or(base::ApiKeyId{});
  return run<kGroup>(reader, texts.of_user, page, *f.user, f.from_day, f.to_day, key, key, f.model,
                     f.model, f.source, f.source);
}

// Everybody by key or user: the days from `from` to `to` as whole weeks and what is left around
// them; nothing was used before day 0.
template <auto kGroup>
Result<Consumption> run_by_weeks(sql::Reader& reader, const Groups<6>& texts, const UsageFilter& f,
                                 Page page) {
  const int64_t from = std::max<int64_t>(f.from_day, 0);
  const int64_t to = std::max<int64_t>(f.to_day, -1);
  const int64_t first = (from + kDaysOfWeek - 1) / kDaysOfWeek * kDaysOfWeek;
  const int64_t end = std::max(first, (to + 1) / kDaysOfWeek * kDaysOfWeek);
  return run<kGroup>(reader, texts, page, first, end - 1, from, std::min(first - 1, to), end, to);
}

bool by_days_alone(const UsageFilter& f) {
  return !f.user && f.model.empty() && f.source.empty();
}

// A key's usage is found by its owner's days, so a filter that has a key gets its owner, too.
Result<UsageFilter> with_owner(sql::Reader& reader, UsageFilter f) {
  if (f.user || !f.key) return f;
  DP_TRY(const auto owners,
         reader.query<base::UserId>("SELECT user_id FROM usage_records WHERE key_id = ?"
                                    " ORDER BY request_id DESC LIMIT 1",
                                    *f.key));
  f.user = owners.empty() ? base::UserId{} : owners.front();
  return f;
}

}  // namespace

Result<UsageTotals> UsageStore::summary(const UsageFilter& filter) {
  DP_TRY(auto reader, database_.read());
  DP_TRY(const UsageFilter f, with_owner(reader, filter));
  if (!f.user) {
    DP_TRY(const auto totals,
           reader.query_value<TotalsRow>("SELECT " DP_USAGE_SUMS DP_OF_TOTALS, f.from_day, f.to_day,
                                         f.model, f.model, f.source, f.source));
    return UsageTotals(totals);
  }
  const base::ApiKeyId key = f.key.value_or(base::ApiKeyId{});
  DP_TRY(const auto totals,
         reader.query_value<TotalsRow>("SELECT " DP_USAGE_SUMS DP_OF_USER, *f.user, f.from_day,
                                       f.to_day, key, key, f.model, f.model, f.source, f.source));
  return UsageTotals(totals);
}

Result<Consumption> UsageStore::consumption(const UsageFilter& filter, GroupBy group, Page page) {
  DP_TRY(auto reader, database_.read());
  DP_TRY(const UsageFilter f, with_owner(reader, filter));
  switch (group) {
    case GroupBy::day:
      return run<&ConsumptionRow::day>(reader, kByDay, f, page);
    case GroupBy::model:
      return run<&ConsumptionRow::model>(reader, kByModel, f, page);
    case GroupBy::source:
      return run<&ConsumptionRow::source>(reader, kBySource, f, page);
    case GroupBy::key:
      if (!by_days_alone(f)) return run<&ConsumptionRow::key>(reader, kByKey, f, page);
      return run_by_weeks<&ConsumptionRow::key>(reader, kKeysOfAll, f, page);
    case GroupBy::user:
      if (!by_days_alone(f)) return run<&ConsumptionRow::user>(reader, kByUser, f, page);
      return run_by_weeks<&ConsumptionRow::user>(reader, kUsersOfAll, f, page);
  }
  return Error(ErrorCode::internal, "Internal error.", "unknown grouping");
}

}  // namespace deeppool::governance
