#include "governance/alerts/delivery.h"

#include "governance/alerts/alert_columns.h"
#include "governance/alerts/limits.h"

namespace deeppool::governance::alerts {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

struct DueRow : Delivery {
  static DueRow from_row(const sql::Row& row) {
    DueRow d;
    d.alert = AlertRow::from_row(row);
    d.attempt = row.get<int64_t>(kAlertColumns) + 1;
    d.url = row.get<std::string>(kAlertColumns + 1);
    d.secret_sealed = row.get<std::string>(kAlertColumns + 2);
    return d;
  }
};

Result<std::vector<DueRow>> due(sql::Database& database, int64_t now_ms, int64_t limit) {
  DP_TRY(auto reader, database.read());
  return reader.query<DueRow>("SELECT " DP_ALERT_COLUMNS
                              ", a.attempts, h.url, h.secret_sealed"
                              " FROM alerts a JOIN alert_webhooks h ON h.user_id = a.user_id"
                              " WHERE a.delivery = 'pending' AND a.next_attempt_at <= ?"
                              " ORDER BY a.next_attempt_at, a.id LIMIT ?",
                              now_ms, limit);
}

}  // namespace

Result<std::vector<Delivery>> claim_due(sql::Database& database, int64_t now_ms, int64_t limit) {
  DP_TRY(const auto rows, due(database, now_ms, limit));
  std::vector<Delivery> ours;
  if (rows.empty()) return ours;
  DP_TRY(auto writer, database.write());
  const int64_t until = now_ms + 2 * duration_cast<milliseconds>(kAttemptTimeout).count();
  for (const DueRow& row : rows) {
    // Who counts the attempt has it.
    DP_TRY(const sql::Outcome done,
           writer.execute("UPDATE alerts SET attempts = attempts + 1, next_attempt_at = ?"
                          " WHERE id = ? AND delivery = 'pending' AND attempts = ?",
                          until, row.alert.id, row.attempt - 1));
    if (done.affected == 1) ours.push_back(row);
  }
  return ours;
}

Result<void> note_sent(sql::Database& database, AlertId id) {
  DP_TRY(auto writer, database.write());
  DP_CHECK(
      writer.execute("UPDATE alerts SET delivery = 'sent', next_attempt_at = NULL"
                     " WHERE id = ? AND delivery = 'pending'",
                     id));
  return {};
}

Result<void> note_failed(sql::Database& database, const Delivery& d, int64_t now_ms) {
  DP_TRY(auto writer, database.write());
  // Who tests a webhook waits for what comes of it.
  const bool last = d.attempt >= kMaxAttempts || d.alert.kind == Kind::test;
  const std::string_view state = last ? "failed" : "pending";
  const int64_t wait = kFirstRetry.count() << (d.attempt - 1);
  DP_CHECK(
      writer.execute("UPDATE alerts SET delivery = ?, next_attempt_at = ?"
                     " WHERE id = ? AND delivery = 'pending' AND attempts = ?",
                     state, now_ms + wait, d.alert.id, d.attempt));
  return {};
}

}  // namespace deeppool::governance::alerts
