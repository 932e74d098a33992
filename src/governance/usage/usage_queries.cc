// The reading half of UsageStore: sums over token_usage_daily. A user's and everybody's sums are
// separate texts, because each has its own index.
#include <algorithm>

#include "governance/limits.h"
#include "governance/usage/usage_store.h"

#define DP_USAGE_SUMS                                                                             \
  "COALESCE(SUM(requests), 0), COALESCE(SUM(prompt_tokens), 0), COALESCE(SUM(cached_tokens), 0)," \
  " COALESCE(SUM(cache_write_tokens), 0), COALESCE(SUM(completion_tokens), 0),"                   \
  " COALESCE(SUM(reasoning_tokens), 0), COALESCE(SUM(charged), 0)"
#define DP_USAGE_FILTERS \
  " AND (? = 0 OR key_id = ?) AND (? = '' OR model_name = ?) AND (? = '' OR source = ?)"
#define DP_USAGE_OF_USER \
  " FROM token_usage_daily WHERE user_id = ? AND day >= ? AND day <= ?" DP_USAGE_FILTERS
#define DP_USAGE_OF_ALL " FROM token_usage_daily WHERE day >= ? AND day <= ?" DP_USAGE_FILTERS
// The texts of a grouping by one column.
#define DP_GROUPING(column, order)                                                             \
  {"SELECT COUNT(DISTINCT " column ")" DP_USAGE_OF_USER,                                       \
   "SELECT " column ", " DP_USAGE_SUMS DP_USAGE_OF_USER " GROUP BY " column " ORDER BY " order \
   " LIMIT ? OFFSET ?",                                                                        \
   "SELECT COUNT(DISTINCT " column ")" DP_USAGE_OF_ALL,                                        \
   "SELECT " column ", " DP_USAGE_SUMS DP_USAGE_OF_ALL " GROUP BY " column " ORDER BY " order  \
   " LIMIT ? OFFSET ?"}
#define DP_USAGE_LARGEST_FIRST "SUM(prompt_tokens + completion_tokens) DESC, "

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

// A row of a grouping: its group's value, then the sums.
template <auto kGroup>
struct GroupRow : ConsumptionRow {
  static GroupRow from_row(const sql::Row& row) {
    GroupRow r;
    r.*kGroup = row.get<std::remove_reference_t<decltype(r.*kGroup)>>(0);
    read_totals(row, 1, r.totals);
    return r;
  }
};

struct Grouping {
  sql::Sql<9> count_of_user;
  sql::Sql<11> page_of_user;
  sql::Sql<8> count_of_all;
  sql::Sql<10> page_of_all;
};

constexpr Grouping kByDay = DP_GROUPING("day", "day DESC");
constexpr Grouping kByModel = DP_GROUPING("model_name", DP_USAGE_LARGEST_FIRST "model_name");
constexpr Grouping kByKey = DP_GROUPING("key_id", DP_USAGE_LARGEST_FIRST "key_id");
constexpr Grouping kBySource = DP_GROUPING("source", DP_USAGE_LARGEST_FIRST "source");
constexpr Grouping kByUser = DP_GROUPING("user_id", DP_USAGE_LARGEST_FIRST "user_id");

template <auto kGroup>
Result<Consumption> run(sql::Reader& reader, const Grouping& texts, const UsageFilter& f,
                        Page page) {
  const base::ApiKeyId key = f.key.value_or(base::ApiKeyId{});
  const int64_t size = std::clamp<int64_t>(page.size, 1, kMaxExportPage);
  const int64_t skip = (std::max<int64_t>(page.number, 1) - 1) * size;
  using Row = GroupRow<kGroup>;
  Consumption out;
  if (f.user) {
    DP_TRY(out.total,
           reader.query_value<int64_t>(texts.count_of_user, *f.user, f.from_day, f.to_day, key, key,
                                       f.model, f.model, f.source, f.source));
    DP_TRY(const auto rows,
           reader.query<Row>(texts.page_of_user, *f.user, f.from_day, f.to_day, key, key, f.model,
                             f.model, f.source, f.source, size, skip));
    out.rows.assign(rows.begin(), rows.end());
    return out;
  }
  DP_TRY(out.total, reader.query_value<int64_t>(texts.count_of_all, f.from_day, f.to_day, key, key,
                                                f.model, f.model, f.source, f.source));
  DP_TRY(const auto rows, reader.query<Row>(texts.page_of_all, f.from_day, f.to_day, key, key,
                                            f.model, f.model, f.source, f.source, size, skip));
  out.rows.assign(rows.begin(), rows.end());
  return out;
}

}  // namespace

Result<UsageTotals> UsageStore::summary(const UsageFilter& f) {
  DP_TRY(auto reader, database_.read());
  const base::ApiKeyId key = f.key.value_or(base::ApiKeyId{});
  if (f.user) {
    DP_TRY(const auto totals, reader.query_value<TotalsRow>(
                                  "SELECT " DP_USAGE_SUMS DP_USAGE_OF_USER, *f.user, f.from_day,
                                  f.to_day, key, key, f.model, f.model, f.source, f.source));
    return UsageTotals(totals);
  }
  DP_TRY(const auto totals,
         reader.query_value<TotalsRow>("SELECT " DP_USAGE_SUMS DP_USAGE_OF_ALL, f.from_day,
                                       f.to_day, key, key, f.model, f.model, f.source, f.source));
  return UsageTotals(totals);
}

Result<Consumption> UsageStore::consumption(const UsageFilter& filter, GroupBy group, Page page) {
  DP_TRY(auto reader, database_.read());
  switch (group) {
    case GroupBy::day:
      return run<&ConsumptionRow::day>(reader, kByDay, filter, page);
    case GroupBy::model:
      return run<&ConsumptionRow::model>(reader, kByModel, filter, page);
    case GroupBy::key:
      return run<&ConsumptionRow::key>(reader, kByKey, filter, page);
    case GroupBy::source:
      return run<&ConsumptionRow::source>(reader, kBySource, filter, page);
    case GroupBy::user:
      return run<&ConsumptionRow::user>(reader, kByUser, filter, page);
  }
  return Error(ErrorCode::internal, "Internal error.", "unknown grouping");
}

}  // namespace deeppool::governance
