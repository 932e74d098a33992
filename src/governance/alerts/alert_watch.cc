#include "governance/alerts/alert_watch.h"

#include <vector>

#include "governance/alerts/alert_store.h"
#include "governance/alerts/limits.h"

// A key's share of its quota, as a rule puts it. A key without a limit, or whose limit is 0, has no
// share. Quotas are far below a hundredth of 64 bits.
#define DP_QUOTA_REACHED \
  "k.quota_total > 0 AND k.quota_used * 100 >= k.quota_total * r.share_percent"

namespace deeppool::governance::alerts {
namespace {

struct Crossing {
  RuleId rule;
  base::UserId user;
  base::ApiKeyId key;
  base::Money below, balance;
  int64_t share_percent = 0;
  int64_t quota_used = 0;
  int64_t quota_total = 0;
  bool has_webhook = false;
};

struct BalanceCrossing : Crossing {
  static BalanceCrossing from_row(const sql::Row& row) {
    BalanceCrossing c;
    row.into(c.rule, c.user, c.below, c.balance, c.has_webhook);
    return c;
  }
};
struct QuotaCrossing : Crossing {
  static QuotaCrossing from_row(const sql::Row& row) {
    QuotaCrossing c;
    row.into(c.rule, c.user, c.key, c.share_percent, c.quota_used, c.quota_total, c.has_webhook);
    return c;
  }
};

Result<std::vector<BalanceCrossing>> low_balances(sql::Reader& reader) {
  return reader.query<BalanceCrossing>(
      "SELECT r.id, r.user_id, r.below, COALESCE(w.posted, 0),"
      " CASE WHEN h.user_id IS NULL THEN 0 ELSE 1 END"
      " FROM alert_rules r LEFT JOIN user_wallets w ON w.user_id = r.user_id"
      " LEFT JOIN alert_webhooks h ON h.user_id = r.user_id"
      " WHERE r.kind = 'balance' AND COALESCE(w.posted, 0) < r.below AND NOT EXISTS"
      " (SELECT 1 FROM alerts a WHERE a.rule_id = r.id AND a.key_id = 0 AND a.open_mark = 1)"
      " ORDER BY r.id LIMIT ?",
      kMaxPerPass);
}

Result<std::vector<QuotaCrossing>> used_quotas(sql::Reader& reader) {
  return reader.query<QuotaCrossing>(
      "SELECT r.id, r.user_id, k.id, r.share_percent, k.quota_used, k.quota_total,"
      " CASE WHEN h.user_id IS NULL THEN 0 ELSE 1 END"
      " FROM alert_rules r JOIN api_keys k ON k.user_id = r.user_id"
      " AND (r.key_id = 0 OR r.key_id = k.id)"
      " LEFT JOIN alert_webhooks h ON h.user_id = r.user_id"
      " WHERE r.kind = 'quota' AND " DP_QUOTA_REACHED
      " AND NOT EXISTS"
      " (SELECT 1 FROM alerts a WHERE a.rule_id = r.id AND a.key_id = k.id AND a.open_mark = 1)"
      " ORDER BY r.id LIMIT ?",
      kMaxPerPass);
}

Result<bool> raise(sql::Writer& writer, Kind kind, const Crossing& c, int64_t now_ms) {
  const std::string_view delivery = c.has_webhook ? "pending" : "none";
  DP_CHECK(prune(writer, c.user));
  return writer.insert_if_absent(
      "INSERT INTO alerts (rule_id, key_id, open_mark, user_id, kind, below, balance,"
      " share_percent, quota_used, quota_total, raised_at, delivery, next_attempt_at)"
      " VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      c.rule, c.key, c.user, to_string(kind), c.below, c.balance, c.share_percent, c.quota_used,
      c.quota_total, now_ms, delivery, now_ms);
}

// Open alerts whose rule is not true any more; a key that is gone uses nothing.
Result<std::vector<AlertId>> over(sql::Reader& reader) {
  DP_TRY(auto ids,
         reader.query<AlertId>("SELECT a.id FROM alerts a JOIN alert_rules r ON r.id = a.rule_id"
                               " LEFT JOIN user_wallets w ON w.user_id = a.user_id"
                               " WHERE a.open_mark = 1 AND r.kind = 'balance'"
                               " AND COALESCE(w.posted, 0) >= r.below ORDER BY a.id LIMIT ?",
                               kMaxPerPass));
  DP_TRY(const auto quotas,
         reader.query<AlertId>("SELECT a.id FROM alerts a JOIN alert_rules r ON r.id = a.rule_id"
                               " LEFT JOIN api_keys k ON k.id = a.key_id"
                               " WHERE a.open_mark = 1 AND r.kind = 'quota'"
                               " AND (k.id IS NULL OR NOT (" DP_QUOTA_REACHED
                               ")) ORDER BY a.id LIMIT ?",
                               kMaxPerPass));
  ids.insert(ids.end(), quotas.begin(), quotas.end());
  return ids;
}

struct Changes {
  std::vector<BalanceCrossing> balances;
  std::vector<QuotaCrossing> quotas;
  std::vector<AlertId> over;
  bool none() const { return balances.empty() && quotas.empty() && over.empty(); }
};

Result<Changes> changes(sql::Database& database) {
  Changes out;
  DP_TRY(auto reader, database.read());
  DP_TRY(out.balances, low_balances(reader));
  DP_TRY(out.quotas, used_quotas(reader));
  DP_TRY(out.over, over(reader));
  return out;
}

}  // namespace

// Each change stands alone, so no transaction holds them together.
Result<PassOutcome> look_at_rules(sql::Database& database, int64_t now_ms) {
  PassOutcome outcome;
  DP_TRY(const Changes found, changes(database));
  if (found.none()) return outcome;
  DP_TRY(auto writer, database.write());
  for (const Crossing& c : found.balances) {
    DP_TRY(const bool raised, raise(writer, Kind::balance, c, now_ms));
    outcome.raised += raised ? 1 : 0;
  }
  for (const Crossing& c : found.quotas) {
    DP_TRY(const bool raised, raise(writer, Kind::quota, c, now_ms));
    outcome.raised += raised ? 1 : 0;
  }
  for (const AlertId id : found.over) {
    DP_TRY(const sql::Outcome done,
           writer.execute("UPDATE alerts SET open_mark = NULL, recovered_at = ?"
                          " WHERE id = ? AND open_mark = 1",
                          now_ms, id));
    outcome.recovered += done.affected;
  }
  return outcome;
}

}  // namespace deeppool::governance::alerts
