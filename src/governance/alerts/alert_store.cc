#include "governance/alerts/alert_store.h"

#include "governance/alerts/alert_columns.h"
#include "governance/alerts/limits.h"

namespace deeppool::governance::alerts {
namespace {

struct RuleRow : Rule {
  static RuleRow from_row(const sql::Row& row) {
    RuleRow r;
    std::string kind_name;
    row.into(r.id, r.user, kind_name, r.key, r.below, r.share_percent, r.created_at_ms);
    r.kind = parse_kind(kind_name).value_or(Kind::balance);
    return r;
  }
};

struct WebhookRow : Webhook {
  static WebhookRow from_row(const sql::Row& row) {
    WebhookRow w;
    row.into(w.url, w.updated_at_ms);
    return w;
  }
};

}  // namespace

Result<std::vector<Rule>> rules_of(sql::Reader& reader, base::UserId user) {
  DP_TRY(const auto rows,
         reader.query<RuleRow>("SELECT id, user_id, kind, key_id, below, share_percent, created_at"
                               " FROM alert_rules WHERE user_id = ? ORDER BY id",
                               user));
  return std::vector<Rule>(rows.begin(), rows.end());
}

Result<RuleId> add_rule(sql::Writer& tx, const Rule& rule) {
  // The owner's row is the lock that makes counting and inserting one step.
  DP_TRY(const auto owner,
         tx.query_one<base::UserId>("SELECT id FROM users WHERE id = ? {for_update}", rule.user));
  if (!owner) return Error(ErrorCode::not_found, "There is no such user.");
  DP_TRY(const int64_t held,
         tx.query_value<int64_t>("SELECT COUNT(*) FROM alert_rules WHERE user_id = ?", rule.user));
  if (held >= kMaxRulesPerUser) {
    return Error(ErrorCode::conflict, "You have " + std::to_string(held) +
                                          " alert rules, the most that an account may have.");
  }
  DP_TRY(const sql::Outcome done,
         tx.execute("INSERT INTO alert_rules (user_id, kind, key_id, below, share_percent,"
                    " created_at) VALUES (?, ?, ?, ?, ?, ?)",
                    rule.user, to_string(rule.kind), rule.key, rule.below, rule.share_percent,
                    rule.created_at_ms));
  return RuleId{done.last_insert_id};
}

Result<void> remove_rule(sql::Writer& tx, base::UserId user, RuleId id, int64_t now_ms) {
  DP_TRY(const sql::Outcome done,
         tx.execute("DELETE FROM alert_rules WHERE id = ? AND user_id = ?", id, user));
  if (done.affected == 0) return Error(ErrorCode::not_found, "There is no such alert rule.");
  DP_CHECK(
      tx.execute("UPDATE alerts SET open_mark = NULL, recovered_at = ?"
                 " WHERE rule_id = ? AND open_mark = 1",
                 now_ms, id));
  return {};
}

Result<Found> search(sql::Reader& reader, base::UserId user, const Search& wanted) {
  const int64_t every = wanted.only_open ? 0 : 1;
  Found found;
  DP_TRY(found.total, reader.query_value<int64_t>("SELECT COUNT(*) FROM alerts a"
                                                  " WHERE a.user_id = ?"
                                                  " AND (? = 1 OR a.open_mark = 1)",
                                                  user, every));
  DP_TRY(const auto rows,
         reader.query<AlertRow>("SELECT " DP_ALERT_COLUMNS " FROM alerts a WHERE a.user_id = ?"
                                " AND (? = 1 OR a.open_mark = 1)"
                                " ORDER BY a.id DESC LIMIT ? OFFSET ?",
                                user, every, wanted.limit, wanted.offset));
  found.alerts.assign(rows.begin(), rows.end());
  return found;
}

Result<Alert> acknowledge(sql::Writer& tx, base::UserId user, AlertId id, int64_t now_ms) {
  DP_CHECK(
      tx.execute("UPDATE alerts SET acknowledged_at = ?"
                 " WHERE id = ? AND user_id = ? AND acknowledged_at IS NULL",
                 now_ms, id, user));
  DP_TRY(const auto row, tx.query_one<AlertRow>("SELECT " DP_ALERT_COLUMNS
                                                " FROM alerts a WHERE a.id = ? AND a.user_id = ?",
                                                id, user));
  if (!row) return Error(ErrorCode::not_found, "There is no such alert.");
  return Alert(*row);
}

Result<void> prune(sql::Writer& writer, base::UserId user) {
  DP_TRY(const auto newest_of_old,
         writer.query_one<AlertId>(
             "SELECT id FROM alerts WHERE user_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?", user,
             kMaxAlertsKept));
  if (!newest_of_old) return {};
  DP_CHECK(writer.execute("DELETE FROM alerts WHERE user_id = ? AND open_mark IS NULL AND id <= ?",
                          user, *newest_of_old));
  return {};
}

Result<std::optional<Webhook>> webhook_of(sql::Reader& reader, base::UserId user) {
  DP_TRY(const auto row, reader.query_one<WebhookRow>(
                             "SELECT url, updated_at FROM alert_webhooks WHERE user_id = ?", user));
  return row ? std::optional<Webhook>(*row) : std::nullopt;
}

crypto::SealedPlace secret_place(base::UserId user) {
  return {"alert_webhooks", user.value, "secret_sealed"};
}

Result<void> set_webhook(sql::Writer& tx, const NewWebhook& w) {
  const std::string sealed = w.sealer.seal(secret_place(w.user), w.secret);
  DP_CHECK(
      tx.execute("INSERT INTO alert_webhooks (user_id, url, secret_sealed, updated_at)"
                 " VALUES (?, ?, ?, ?) {upsert user_id} url = {new url},"
                 " secret_sealed = {new secret_sealed}, updated_at = {new updated_at}",
                 w.user, w.url, sql::Blob{sealed}, w.now_ms));
  return {};
}

Result<void> remove_webhook(sql::Writer& tx, base::UserId user) {
  DP_CHECK(tx.execute("DELETE FROM alert_webhooks WHERE user_id = ?", user));
  DP_CHECK(
      tx.execute("UPDATE alerts SET delivery = 'none', next_attempt_at = NULL"
                 " WHERE user_id = ? AND delivery = 'pending'",
                 user));
  return {};
}

Result<Alert> test_webhook(sql::Writer& tx, base::UserId user, int64_t now_ms) {
  // The webhook's row is the lock that lets one test in at a time.
  DP_TRY(const auto webhook,
         tx.query_one<base::UserId>(
             "SELECT user_id FROM alert_webhooks WHERE user_id = ? {for_update}", user));
  if (!webhook) return Error(ErrorCode::not_found, "There is no webhook.");
  DP_TRY(const int64_t under_way,
         tx.query_value<int64_t>("SELECT COUNT(*) FROM alerts WHERE user_id = ? AND kind = ?"
                                 " AND delivery = 'pending'",
                                 user, to_string(Kind::test)));
  if (under_way > 0) {
    return Error(ErrorCode::conflict, "The last test is still on its way; look at its `delivery`.");
  }
  DP_TRY(const sql::Outcome done,
         tx.execute("INSERT INTO alerts (rule_id, key_id, user_id, kind, raised_at, recovered_at,"
                    " delivery, next_attempt_at) VALUES (0, 0, ?, ?, ?, ?, 'pending', ?)",
                    user, to_string(Kind::test), now_ms, now_ms, now_ms));
  DP_CHECK(prune(tx, user));
  DP_TRY(const auto row,
         tx.query_one<AlertRow>("SELECT " DP_ALERT_COLUMNS " FROM alerts a WHERE a.id = ?",
                                done.last_insert_id));
  if (!row) return Error(ErrorCode::internal, "Internal error.", "an alert vanished");
  return Alert(*row);
}

}  // namespace deeppool::governance::alerts
