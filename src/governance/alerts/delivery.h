// Alerts on their way to their owners' webhooks. The table is the queue: what is claimed belongs to
// one instance for a while, and comes back if that instance dies. Blocking; for blocking pools.
#pragma once

#include <vector>

#include "governance/alerts/alert.h"
#include "sql/database.h"

namespace deeppool::governance::alerts {

struct Delivery {
  Alert alert;
  int64_t attempt = 0;  // 1 is the first
  std::string url;
  std::string secret_sealed;  // at secret_place(alert.user)
};

// What is due, at most `limit`, and now ours.
Result<std::vector<Delivery>> claim_due(sql::Database& database, int64_t now_ms, int64_t limit);
Result<void> note_sent(sql::Database& database, AlertId id);
// Tried again later, or given up after kMaxAttempts.
Result<void> note_failed(sql::Database& database, const Delivery& delivery, int64_t now_ms);

}  // namespace deeppool::governance::alerts
