#include "idempotency/book.h"

#include "idempotency/limits.h"
#include "sql/transaction.h"

namespace deeppool::idempotency {
namespace {

constexpr int64_t kLeaseMs = std::chrono::milliseconds(kClaimLease).count();
constexpr int64_t kKeptMs = std::chrono::milliseconds(kKept).count();

crypto::SealedPlace place_of(int64_t row) {
  return {"idempotency_keys", row, "answer"};
}

struct Row {
  int64_t id = 0;
  crypto::Digest body{};
  std::string state;
  base::RequestId claim{};
  bool lapsed = false;   // running, and not renewed in time
  bool expired = false;  // a day old
  std::optional<std::string> answer;

  static Row from_row(const sql::Row& row) {
    Row r;
    row.into(r.id, r.body, r.state, r.claim, r.lapsed, r.expired, r.answer);
    return r;
  }
};

Result<std::optional<Row>> find(sql::Writer& tx, const Ask& ask) {
  return tx.query_one<Row>(
      "SELECT id, body_hash, state, claim,"
      " CASE WHEN state = 'running' AND lease_until <= {now_ms} THEN 1 ELSE 0 END,"
      " CASE WHEN expires_at <= {now_ms} THEN 1 ELSE 0 END, answer"
      " FROM idempotency_keys WHERE api_key_id = ? AND name_hash = ? {for_update}",
      ask.key, ask.name);
}

std::string_view name_of(Book::End end) {
  return end == Book::End::cut ? "cut" : "too_large";
}

// How a request ended that its caller paid for, as far as usage rows tell. Nothing: it was free, or
// has none.
Result<std::optional<Book::End>> charged_end(sql::Writer& tx, const base::RequestId& request) {
  DP_TRY(const std::optional<std::string> outcome,
         tx.query_one<std::string>("SELECT outcome FROM usage_records WHERE request_id = ?"
                                   " AND prompt_tokens + completion_tokens > 0",
                                   request));
  if (!outcome) return std::optional<Book::End>();
  return std::optional(*outcome == "client_aborted" ? Book::End::cut : Book::End::too_large);
}

// Of a claim that ended before: nothing is wrong.
Result<void> must_be_ours(sql::Writer& tx, const sql::Outcome& done, const Claim& claim) {
  if (done.affected != 0) return {};
  DP_TRY(const int64_t ours,
         tx.query_value<int64_t>("SELECT COUNT(*) FROM idempotency_keys WHERE id = ? AND claim = ?",
                                 claim.row, claim.request));
  if (ours == 1) return {};
  return Error(ErrorCode::conflict, "The claim was taken for dead, and is another's.");
}

Standing standing(Standing::Kind kind) {
  Standing out;
  out.kind = kind;
  return out;
}

Result<Standing> kept(const crypto::Sealer& sealer, const Row& row) {
  DP_TRY(const std::string bytes, sealer.open(place_of(row.id), row.answer.value_or("")));
  auto answer = decode(bytes);
  if (!answer) return Error(ErrorCode::internal, "A kept answer cannot be read.");
  Standing out = standing(Standing::Kind::answered);
  out.answer = *std::move(answer);
  return out;
}

}  // namespace

Result<Standing> Book::claim(const Ask& ask) {
  return sql::run_transaction(database_, [&](sql::Writer& tx) -> Result<Standing> {
    DP_TRY(const std::optional<Row> row, find(tx, ask));
    if (!row) return claim_new(tx, ask);
    if (row->expired) return take_over(tx, ask, {row->id, row->claim});
    if (row->body != ask.body) return standing(Standing::Kind::other_body);
    if (row->lapsed) return take_over_lapsed(tx, ask, {row->id, row->claim});
    if (row->state == "running") return standing(Standing::Kind::running);
    if (row->state == "too_large") return standing(Standing::Kind::too_large);
    if (row->state == "cut") return standing(Standing::Kind::cut);
    return kept(sealer_, *row);
  });
}

Result<Standing> Book::claim_new(sql::Writer& tx, const Ask& ask) {
  DP_TRY(const int64_t names,
         tx.query_value<int64_t>("SELECT COUNT(*) FROM idempotency_keys WHERE api_key_id = ?",
                                 ask.key));
  if (names >= kMaxNamesPerKey) return standing(Standing::Kind::too_many);
  auto done = tx.execute(
      "INSERT INTO idempotency_keys (api_key_id, name_hash, body_hash, state, claim, instance,"
      " lease_until, expires_at) VALUES (?, ?, ?, 'running', ?, ?, {now_ms} + ?, {now_ms} + ?)",
      ask.key, ask.name, ask.body, ask.request, instance_, kLeaseMs, kKeptMs);
  if (!done && done.error().code == ErrorCode::conflict) {
    return standing(Standing::Kind::running);  // somebody was faster by a blink
  }
  if (!done) return std::move(done).error();
  Standing out;
  out.claim = {done->last_insert_id, ask.request};
  return out;
}

// What was charged is not made again, whatever its claim says: its end could not be stored in time.
Result<Standing> Book::take_over_lapsed(sql::Writer& tx, const Ask& ask, const Claim& dead) {
  DP_TRY(const std::optional<End> charged, charged_end(tx, dead.request));
  if (!charged) return take_over(tx, ask, dead);
  DP_CHECK(tx.execute("UPDATE idempotency_keys SET state = ? WHERE id = ?", name_of(*charged),
                      dead.row));
  return standing(*charged == End::cut ? Standing::Kind::cut : Standing::Kind::too_large);
}

Result<Standing> Book::take_over(sql::Writer& tx, const Ask& ask, const Claim& dead) {
  DP_TRY(const sql::Outcome done,
         tx.execute("UPDATE idempotency_keys SET body_hash = ?, state = 'running', claim = ?,"
                    " instance = ?, lease_until = {now_ms} + ?, expires_at = {now_ms} + ?,"
                    " answer = NULL, answer_bytes = 0 WHERE id = ? AND claim = ?",
                    ask.body, ask.request, instance_, kLeaseMs, kKeptMs, dead.row, dead.request));
  if (done.affected != 1) return standing(Standing::Kind::running);
  Standing out;
  out.claim = {dead.row, ask.request};
  return out;
}

Result<void> Book::renew(const Claim& claim) {
  DP_TRY(auto writer, database_.write());
  DP_CHECK(
      writer.execute("UPDATE idempotency_keys SET lease_until = {now_ms} + ?"
                     " WHERE id = ? AND claim = ? AND state = 'running'",
                     kLeaseMs, claim.row, claim.request));
  return {};
}

Result<void> Book::keep(const Claim& claim, const KeptAnswer& answer) {
  const std::string sealed = sealer_.seal(place_of(claim.row), encode(answer));
  const auto bytes = static_cast<int64_t>(sealed.size());
  return sql::run_transaction(database_, [&](sql::Writer& tx) -> Result<void> {
    DP_TRY(const auto stored,
           tx.query_one<int64_t>(
               "SELECT COALESCE(SUM(answer_bytes), 0) FROM idempotency_keys WHERE api_key_id ="
               " (SELECT api_key_id FROM idempotency_keys WHERE id = ?)",
               claim.row));
    const bool room = bytes <= kMaxBytesPerKey - stored.value_or(0);
    const std::string_view state = room ? "answered" : "too_large";
    std::optional<sql::Blob> blob;
    if (room) blob = sql::Blob{sealed};
    DP_TRY(const sql::Outcome done,
           tx.execute("UPDATE idempotency_keys SET state = ?, answer = ?, answer_bytes = ?"
                      " WHERE id = ? AND claim = ? AND state = 'running'",
                      state, blob, room ? bytes : 0, claim.row, claim.request));
    return must_be_ours(tx, done, claim);
  });
}

Result<void> Book::close(const Claim& claim, End end) {
  DP_TRY(auto writer, database_.write());
  DP_TRY(const sql::Outcome done,
         writer.execute("UPDATE idempotency_keys SET state = ?"
                        " WHERE id = ? AND claim = ? AND state = 'running'",
                        name_of(end), claim.row, claim.request));
  return must_be_ours(writer, done, claim);
}

Result<void> Book::release(const Claim& claim) {
  DP_TRY(auto writer, database_.write());
  DP_CHECK(writer.execute(
      "DELETE FROM idempotency_keys WHERE id = ? AND claim = ? AND state = 'running'", claim.row,
      claim.request));
  return {};
}

Result<int64_t> Book::release_own() {
  return sql::run_transaction(database_, [&](sql::Writer& tx) -> Result<int64_t> {
    const auto dead = tx.query<int64_t, base::RequestId>(
        "SELECT id, claim FROM idempotency_keys"
        " WHERE instance = ? AND state = 'running' ORDER BY id {for_update}",
        instance_);
    if (!dead) return dead.error();
    int64_t freed = 0;
    for (const auto& [id, request] : *dead) {
      DP_TRY(const std::optional<End> charged, charged_end(tx, request));
      if (charged) {
        DP_CHECK(tx.execute("UPDATE idempotency_keys SET state = ? WHERE id = ?", name_of(*charged),
                            id));
      } else {
        DP_CHECK(tx.execute("DELETE FROM idempotency_keys WHERE id = ?", id));
        ++freed;
      }
    }
    return freed;
  });
}

Result<int64_t> Book::sweep() {
  int64_t swept = 0;
  while (true) {
    DP_TRY(auto writer, database_.write());
    DP_TRY(const auto ids,
           writer.query<int64_t>("SELECT id FROM idempotency_keys WHERE expires_at <= {now_ms}"
                                 " ORDER BY expires_at LIMIT ?",
                                 kSweptAtOnce));
    for (const int64_t id : ids) {
      DP_TRY(const sql::Outcome done,
             writer.execute("DELETE FROM idempotency_keys WHERE id = ? AND expires_at <= {now_ms}",
                            id));
      swept += static_cast<int64_t>(done.affected);
    }
    if (static_cast<int64_t>(ids.size()) < kSweptAtOnce) return swept;
  }
}

}  // namespace deeppool::idempotency
