#include "governance/usage/daily_sums.h"

#include <map>
#include <string_view>
#include <tuple>

#include "governance/usage/usage_store.h"

// The columns that every table of daily sums has, and what a row adds to them.
#define DP_SUM_COLUMNS                                                              \
  " requests, prompt_tokens, cached_tokens, cache_write_tokens, completion_tokens," \
  " reasoning_tokens, charged) {rows} "
#define DP_ADD_SUMS                                                      \
  " requests = requests + {new requests},"                               \
  " prompt_tokens = prompt_tokens + {new prompt_tokens},"                \
  " cached_tokens = cached_tokens + {new cached_tokens},"                \
  " cache_write_tokens = cache_write_tokens + {new cache_write_tokens}," \
  " completion_tokens = completion_tokens + {new completion_tokens},"    \
  " reasoning_tokens = reasoning_tokens + {new reasoning_tokens},"       \
  " charged = charged + {new charged}"

namespace deeppool::governance {
namespace {

// Ordered maps: every instance locks rows in the same order.
using DayKey =
    std::tuple<base::UserId, int64_t, base::ApiKeyId, std::string_view, std::string_view>;
using TotalsKey = std::tuple<int64_t, std::string_view, std::string_view>;
using KeysKey = std::tuple<int64_t, base::UserId, base::ApiKeyId>;
template <class Key>
using Sums = std::map<Key, UsageTotals>;

UsageTotals totals_of(const UsageRow& row) {
  const llm::Usage& u = row.usage;
  return {.requests = 1,
          .prompt_tokens = u.prompt_tokens,
          .cached_tokens = u.cached_tokens,
          .cache_write_tokens = u.cache_write_tokens,
          .completion_tokens = u.completion_tokens,
          .reasoning_tokens = u.reasoning_tokens,
          .charged = row.bill.charged};
}

Result<void> add(UsageTotals& sum, const UsageTotals& more) {
  sum.requests += more.requests;
  sum.prompt_tokens += more.prompt_tokens;
  sum.cached_tokens += more.cached_tokens;
  sum.cache_write_tokens += more.cache_write_tokens;
  sum.completion_tokens += more.completion_tokens;
  sum.reasoning_tokens += more.reasoning_tokens;
  const auto charged = checked_add(sum.charged, more.charged);
  if (!charged) {
    return Error(ErrorCode::internal, "Internal error.", "a day's charges exceed Money");
  }
  sum.charged = *charged;
  return {};
}

template <class Key>
auto tuples_of(const Sums<Key>& sums) {
  const auto tuple_of = [](const Key& key, const UsageTotals& t) {
    return std::tuple_cat(
        key, std::tuple(t.requests, t.prompt_tokens, t.cached_tokens, t.cache_write_tokens,
                        t.completion_tokens, t.reasoning_tokens, t.charged));
  };
  std::vector<decltype(tuple_of(Key(), UsageTotals()))> tuples;
  tuples.reserve(sums.size());
  for (const auto& [key, totals] : sums) tuples.push_back(tuple_of(key, totals));
  return tuples;
}

template <class Key>
Result<void> store(sql::Writer& tx, sql::RepeatSql<0> text, const Sums<Key>& sums) {
  const auto tuples = tuples_of(sums);
  return tx.insert_rows(text, std::span(tuples));
}

}  // namespace

Result<void> add_to_daily_sums(sql::Writer& tx, const std::vector<const UsageRow*>& rows) {
  Sums<DayKey> days;
  for (const UsageRow* row : rows) {
    DP_CHECK(add(days[{row->user, usage_day(row->started_at_ms), row->key, row->model,
                       to_string(row->source)}],
                 totals_of(*row)));
  }
  Sums<TotalsKey> totals;
  Sums<KeysKey> keys, weeks;
  for (const auto& [key, sum] : days) {
    const auto& [user, day, api_key, model, source] = key;
    DP_CHECK(add(totals[{day, model, source}], sum));
    DP_CHECK(add(keys[{day, user, api_key}], sum));
    DP_CHECK(add(weeks[{day - day % kDaysOfWeek, user, api_key}], sum));
  }
  DP_CHECK(store(
      tx,
      "INSERT INTO token_usage_daily (user_id, day, key_id, model_name, source," DP_SUM_COLUMNS
      "{upsert user_id, day, key_id, model_name, source, device_id}" DP_ADD_SUMS,
      days));
  DP_CHECK(store(tx,
                 "INSERT INTO token_usage_daily_keys (day, user_id, key_id," DP_SUM_COLUMNS
                 "{upsert day, user_id, key_id}" DP_ADD_SUMS,
                 keys));
  DP_CHECK(store(tx,
                 "INSERT INTO token_usage_weekly_keys (first_day, user_id, key_id," DP_SUM_COLUMNS
                 "{upsert first_day, user_id, key_id}" DP_ADD_SUMS,
                 weeks));
  return store(tx,
               "INSERT INTO token_usage_daily_totals (day, model_name, source," DP_SUM_COLUMNS
               "{upsert day, model_name, source}" DP_ADD_SUMS,
               totals);
}

}  // namespace deeppool::governance
