// The reading half of UsageStore: sums over token_usage_daily. A user's and everybody's sums are
// separate texts, because each has its own index.
#include <algorithm>

#include "governance/limits.h"
#include "governance/usage/usage_store.h"

#define DP_USAGE_SUMS                                                                             \
  "COALESCE(SUM(requests), 0), COALESCE(SUM(prompt_tokens), 0), COALESCE(SUM(cached_tokens), 0)," \
  " COALESCE(SUM(cache_write_tokens), 0), COALESCE(SUM(completion_tokens), 0),"                   \
  " COALESCE(SUM(reasoning_tokens), 0), COALESCE(SUM(charged), 0)"
#define DP_USAGE_OF_USER                                                \
  " FROM token_usage_daily WHERE user_id = ? AND day >= ? AND day <= ?" \
  " AND (? = 0 OR key_id = ?) AND (? = '' OR model_name = ?)"
#define DP_USAGE_OF_ALL                                 \
  " FROM token_usage_daily WHERE day >= ? AND day <= ?" \
  " AND (? = 0 OR key_id = ?) AND (? = '' OR model_name = ?)"
#define DP_USAGE_LARGEST_FIRST "ORDER BY SUM(prompt_tokens + completion_tokens) DESC, "

namespace deeppool::governance {
namespace {

struct TotalsRow : UsageTotals {
  static TotalsRow from_row(const sql::Row& row) {
    TotalsRow t;
    row.into(t.requests, t.prompt_tokens, t.cached_tokens, t.cache_write_tokens,
             t.completion_tokens, t.reasoning_tokens, t.charged);
    return t;
  }
};

void read_totals(const sql::Row& row, UsageTotals& t) {
  t.requests = row.get<int64_t>(1);
  t.prompt_tokens = row.get<int64_t>(2);
  t.cached_tokens = row.get<int64_t>(3);
  t.cache_write_tokens = row.get<int64_t>(4);
  t.completion_tokens = row.get<int64_t>(5);
  t.reasoning_tokens = row.get<int64_t>(6);
  t.charged = row.get<base::Money>(7);
}

struct DayRow : ConsumptionRow {
  static DayRow from_row(const sql::Row& row) {
    DayRow r;
    r.day = row.get<int64_t>(0);
    read_totals(row, r.totals);
    return r;
  }
};
struct ModelRow : ConsumptionRow {
  static ModelRow from_row(const sql::Row& row) {
    ModelRow r;
    r.model = row.get<std::string>(0);
    read_totals(row, r.totals);
    return r;
  }
};
struct KeyRow : ConsumptionRow {
  static KeyRow from_row(const sql::Row& row) {
    KeyRow r;
    r.key = row.get<base::ApiKeyId>(0);
    read_totals(row, r.totals);
    return r;
  }
};

// The texts of one grouping, and the query that runs them.
template <class Row>
struct Grouping {
  sql::Sql<7> count_of_user;
  sql::Sql<9> page_of_user;
  sql::Sql<6> count_of_all;
  sql::Sql<8> page_of_all;

  Result<Consumption> run(sql::Reader& reader, const UsageFilter& f, Page page) const {
    const base::ApiKeyId key = f.key.value_or(base::ApiKeyId{});
    const int64_t size = std::clamp<int64_t>(page.size, 1, kMaxPageSize);
    const int64_t skip = (std::max<int64_t>(page.number, 1) - 1) * size;
    Consumption out;
    if (f.user) {
      DP_TRY(out.total, reader.query_value<int64_t>(count_of_user, *f.user, f.from_day, f.to_day,
                                                    key, key, f.model, f.model));
      DP_TRY(const auto rows, reader.query<Row>(page_of_user, *f.user, f.from_day, f.to_day, key,
                                                key, f.model, f.model, size, skip));
      out.rows.assign(rows.begin(), rows.end());
    } else {
      DP_TRY(out.total, reader.query_value<int64_t>(count_of_all, f.from_day, f.to_day, key, key,
                                                    f.model, f.model));
      DP_TRY(const auto rows, reader.query<Row>(page_of_all, f.from_day, f.to_day, key, key,
                                                f.model, f.model, size, skip));
      out.rows.assign(rows.begin(), rows.end());
    }
    return out;
  }
};

const Grouping<DayRow> kByDay{"SELECT COUNT(DISTINCT day)" DP_USAGE_OF_USER,
                              "SELECT day, " DP_USAGE_SUMS DP_USAGE_OF_USER
                              " GROUP BY day ORDER BY day DESC LIMIT ? OFFSET ?",
                              "SELECT COUNT(DISTINCT day)" DP_USAGE_OF_ALL,
                              "SELECT day, " DP_USAGE_SUMS DP_USAGE_OF_ALL
                              " GROUP BY day ORDER BY day DESC LIMIT ? OFFSET ?"};
const Grouping<ModelRow> kByModel{
    "SELECT COUNT(DISTINCT model_name)" DP_USAGE_OF_USER,
    "SELECT model_name, " DP_USAGE_SUMS DP_USAGE_OF_USER
    " GROUP BY model_name " DP_USAGE_LARGEST_FIRST "model_name LIMIT ? OFFSET ?",
    "SELECT COUNT(DISTINCT model_name)" DP_USAGE_OF_ALL,
    "SELECT model_name, " DP_USAGE_SUMS DP_USAGE_OF_ALL
    " GROUP BY model_name " DP_USAGE_LARGEST_FIRST "model_name LIMIT ? OFFSET ?"};
const Grouping<KeyRow> kByKey{"SELECT COUNT(DISTINCT key_id)" DP_USAGE_OF_USER,
                              "SELECT key_id, " DP_USAGE_SUMS DP_USAGE_OF_USER
                              " GROUP BY key_id " DP_USAGE_LARGEST_FIRST "key_id LIMIT ? OFFSET ?",
                              "SELECT COUNT(DISTINCT key_id)" DP_USAGE_OF_ALL,
                              "SELECT key_id, " DP_USAGE_SUMS DP_USAGE_OF_ALL
                              " GROUP BY key_id " DP_USAGE_LARGEST_FIRST "key_id LIMIT ? OFFSET ?"};

}  // namespace

Result<UsageTotals> UsageStore::summary(const UsageFilter& f) {
  DP_TRY(auto reader, database_.read());
  const base::ApiKeyId key = f.key.value_or(base::ApiKeyId{});
  if (f.user) {
    DP_TRY(const auto totals,
           reader.query_value<TotalsRow>("SELECT " DP_USAGE_SUMS DP_USAGE_OF_USER, *f.user,
                                         f.from_day, f.to_day, key, key, f.model, f.model));
    return UsageTotals(totals);
  }
  DP_TRY(const auto totals,
         reader.query_value<TotalsRow>("SELECT " DP_USAGE_SUMS DP_USAGE_OF_ALL, f.from_day,
                                       f.to_day, key, key, f.model, f.model));
  return UsageTotals(totals);
}

Result<Consumption> UsageStore::consumption(const UsageFilter& filter, GroupBy group, Page page) {
  DP_TRY(auto reader, database_.read());
  switch (group) {
    case GroupBy::day:
      return kByDay.run(reader, filter, page);
    case GroupBy::model:
      return kByModel.run(reader, filter, page);
    case GroupBy::key:
      return kByKey.run(reader, filter, page);
  }
  return Error(ErrorCode::internal, "Internal error.", "unknown grouping");
}

}  // namespace deeppool::governance
