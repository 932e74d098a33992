#include "governance/usage/usage_store.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>
#include <unordered_set>

#include "base/crash_point.h"
#include "base/text.h"
#include "governance/ledger/usage_posting.h"
#include "governance/limits.h"
#include "governance/usage/daily_sums.h"
#include "sql/transaction.h"

namespace deeppool::governance {
namespace {

std::string_view source_name(llm::Usage::Source source) {
  return source == llm::Usage::Source::upstream ? "upstream" : "estimated";
}

std::optional<base::PriceId> price_of(const Bill& bill) {
  return bill.price ? std::optional(bill.price) : std::nullopt;
}

std::optional<int64_t> held_tokens(const UsageRow& row) {
  return row.held ? std::optional(row.held->tokens) : std::nullopt;
}

std::optional<base::Money> held_money(const UsageRow& row) {
  return row.held ? std::optional(row.held->money) : std::nullopt;
}

std::string stream_name(int loop) {
  return "loop-" + std::to_string(loop);
}

// The rows that the store does not have, each once.
Result<std::vector<const UsageRow*>> new_rows(sql::Reader& reader, std::span<const UsageRow> rows) {
  std::vector<base::RequestId> ids;
  ids.reserve(rows.size());
  for (const UsageRow& row : rows) ids.push_back(row.request_id);
  DP_TRY(const auto known, reader.query_list<base::RequestId>(
                               "SELECT request_id FROM usage_records WHERE request_id IN ({list})",
                               std::span<const base::RequestId>(ids)));
  std::unordered_set<base::RequestId> seen(known.begin(), known.end());
  std::vector<const UsageRow*> fresh;
  for (const UsageRow& row : rows) {
    if (seen.insert(row.request_id).second) fresh.push_back(&row);
  }
  return fresh;
}

std::vector<const UsageRow*> all_rows(std::span<const UsageRow> rows) {
  std::vector<const UsageRow*> all;
  all.reserve(rows.size());
  for (const UsageRow& row : rows) all.push_back(&row);
  return all;
}

// Ids grow with time, so in their order rows go to the end of every index, next to each other.
void sort_by_id(std::vector<const UsageRow*>& rows) {
  std::sort(rows.begin(), rows.end(),
            [](const UsageRow* a, const UsageRow* b) { return a->request_id < b->request_id; });
}

struct KeyUse {
  int64_t tokens = 0;
  int64_t leased_tokens = 0;  // of them, those that were held in a lease
  base::Money charged;
  int64_t last_used_at = 0;
};

#define DP_ADD_USE                                                              \
  " quota_used = quota_used + ?, quota_leased = quota_leased - ?,"              \
  " charged = charged + {money}, last_used_at = CASE"                           \
  " WHEN last_used_at IS NULL OR last_used_at < ? THEN ? ELSE last_used_at END" \
  " WHERE id = ?"

Result<void> add_leased(sql::Writer& tx, base::ApiKeyId key, const KeyUse& use) {
  DP_CHECK(tx.execute("UPDATE api_keys SET" DP_ADD_USE, use.tokens, use.leased_tokens, use.charged,
                      use.last_used_at, use.last_used_at, key));
  return {};
}

// A quota that was set while requests without one ran: they use what others may have leased.
Result<void> add_some(sql::Writer& tx, base::ApiKeyId key, const KeyUse& use) {
  const int64_t unleased = use.tokens - use.leased_tokens;
  DP_CHECK(
      tx.execute("UPDATE api_keys SET quota_exceeded = CASE WHEN quota_total < 0"
                 " OR quota_used + quota_leased + ? <= quota_total THEN quota_exceeded"
                 " ELSE quota_used + quota_leased + ? - quota_total END," DP_ADD_USE,
                 unleased, unleased, use.tokens, use.leased_tokens, use.charged, use.last_used_at,
                 use.last_used_at, key));
  return {};
}

Result<void> add_to_keys(sql::Writer& tx, const std::vector<const UsageRow*>& rows) {
  std::map<base::ApiKeyId, KeyUse> keys;  // ordered: every instance locks rows alike
  for (const UsageRow* row : rows) {
    KeyUse& use = keys[row->key];
    use.tokens += row->usage.total();
    if (row->quota_leased) use.leased_tokens += row->usage.total();
    use.last_used_at = std::max(use.last_used_at, row->started_at_ms);
    const auto charged = checked_add(use.charged, row->bill.charged);
    if (!charged) {
      return Error(ErrorCode::internal, "Internal error.", "a key's charges exceed Money");
    }
    use.charged = *charged;
  }
  for (const auto& [key, use] : keys) {
    DP_CHECK(use.tokens == use.leased_tokens ? add_leased(tx, key, use) : add_some(tx, key, use));
  }
  return {};
}

}  // namespace

// Rows that the store has already are rare (a commit whose outcome was not learned, orphans settled
// twice), and the primary key tells: only then are they looked up.
Result<void> UsageStore::apply(std::span<const UsageRow> rows,
                               std::span<const SpoolCursor> cursors) {
  auto stored = apply_once(rows, cursors, Known::none);
  if (!stored && stored.error().code == ErrorCode::conflict) {
    stored = apply_once(rows, cursors, Known::some);
  }
  return stored;
}

Result<void> UsageStore::apply_once(std::span<const UsageRow> rows,
                                    std::span<const SpoolCursor> cursors, Known known) {
  const auto work = [&](sql::Writer& tx) -> Result<void> {
    std::vector<const UsageRow*> fresh = all_rows(rows);
    if (known == Known::some) {
      DP_TRY(fresh, new_rows(tx, rows));
    }
    sort_by_id(fresh);
    if (!fresh.empty()) DP_CHECK(post(tx, fresh));
    for (const SpoolCursor& cursor : cursors) {
      DP_CHECK(
          tx.execute("INSERT INTO spool_cursors (instance, stream, segment, position)"
                     " VALUES (?, ?, ?, ?) {upsert instance, stream}"
                     " segment = {new segment}, position = {new position}",
                     instance_, stream_name(cursor.loop), cursor.segment, cursor.position));
    }
    base::crash_point("before_commit");
    return {};
  };
  // The spool can repeat it until make_durable().
  DP_CHECK(sql::run_transaction(database_, std::function<Result<void>(sql::Writer&)>(work),
                                sql::Durability::later));
  base::crash_point("after_commit");
  return {};
}

Result<void> UsageStore::post(sql::Writer& tx, const std::vector<const UsageRow*>& rows) {
  DP_CHECK(insert(tx, rows));
  DP_CHECK(add_to_daily_sums(tx, rows));
  DP_CHECK(add_to_keys(tx, rows));
  return ledger::post_usage(tx, rows, instance_);
}

bool UsageStore::takes_rows() {
  UsageRow plain;
  plain.request_id.bytes.fill(0xff);  // after every request of this era
  auto writer = database_.write();
  if (!writer) return false;
  const auto undone = sql::Transaction::begin(*writer);
  return undone && post(*writer, {&plain}).ok();
}

Result<void> UsageStore::insert(sql::Writer& tx, const std::vector<const UsageRow*>& rows) {
  using Tuple =
      std::tuple<base::RequestId, base::UserId, base::ApiKeyId, std::string_view,
                 std::optional<base::EndpointId>, std::string_view, std::string_view,
                 std::string_view, int, bool, int64_t, int64_t, std::optional<int64_t>, int64_t,
                 int64_t, int64_t, int64_t, int64_t, std::string_view, int, std::string_view,
                 std::string_view, std::string_view, int64_t, int64_t, int64_t, int64_t,
                 std::optional<base::PriceId>, int64_t, int64_t, base::Money,
                 std::optional<int64_t>, std::optional<base::Money>, bool, std::string_view>;
  std::vector<Tuple> tuples;
  tuples.reserve(rows.size());
  for (const UsageRow* r : rows) {
    tuples.emplace_back(
        r->request_id, r->user, r->key, r->model, r->endpoint, to_string(r->api),
        to_string(r->source), to_string(r->outcome), r->status, r->stream, r->started_at_ms,
        r->duration_ms, r->first_token_ms, r->usage.prompt_tokens, r->usage.cached_tokens,
        r->usage.cache_write_tokens, r->usage.completion_tokens, r->usage.reasoning_tokens,
        source_name(r->usage.source), r->attempts, r->error_code, r->upstream_request_id, instance_,
        r->usage.image_input_tokens, r->usage.audio_input_tokens, r->usage.image_output_tokens,
        r->usage.audio_output_tokens, price_of(r->bill), r->bill.grants.tokens(),
        r->bill.discount_ppm, r->bill.charged, held_tokens(*r), held_money(*r), r->deviates,
        r->served_model);
  }
  return tx.insert_rows(
      "INSERT INTO usage_records (request_id, user_id, key_id, model_name, endpoint_id, api, "
      "source,"
      " outcome, status, stream, started_at, duration_ms, first_token_ms, prompt_tokens,"
      " cached_tokens, cache_write_tokens, completion_tokens, reasoning_tokens, usage_source,"
      " attempts, error_code, upstream_request_id, instance, image_input_tokens,"
      " audio_input_tokens, image_output_tokens, audio_output_tokens, price_id, grant_tokens,"
      " discount_ppm, charged, held_tokens, held_money, deviates, served_model) {rows}",
      std::span<const Tuple>(tuples));
}

Result<std::vector<SpoolCursor>> UsageStore::cursors() {
  DP_TRY(auto reader, database_.read());
  DP_TRY(const auto rows, (reader.query<std::string, int64_t, int64_t>(
                              "SELECT stream, segment, position FROM spool_cursors"
                              " WHERE instance = ?",
                              instance_)));
  std::vector<SpoolCursor> cursors;
  for (const auto& [stream, segment, position] : rows) {
    const auto loop = base::parse_int<int>(std::string_view(stream).substr(stream.find('-') + 1));
    if (loop) cursors.push_back({*loop, segment, position});
  }
  return cursors;
}

Result<void> UsageStore::make_durable() {
  return database_.make_durable();
}

}  // namespace deeppool::governance
