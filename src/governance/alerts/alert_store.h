// The tables alert_rules, alerts and alert_webhooks, as their owner keeps them. Blocking; for
// blocking pools only. Another user's object is not_found, exactly like a missing one.
#pragma once

#include <vector>

#include "crypto/sealer.h"
#include "governance/alerts/alert.h"
#include "sql/session.h"

namespace deeppool::governance::alerts {

Result<std::vector<Rule>> rules_of(sql::Reader& reader, base::UserId user);
// conflict: the user has kMaxRulesPerUser. Inside a transaction.
Result<RuleId> add_rule(sql::Writer& tx, const Rule& rule);
// Its open alerts recover with it. Inside a transaction.
Result<void> remove_rule(sql::Writer& tx, base::UserId user, RuleId id, int64_t now_ms);

struct Search {
  bool only_open = false;  // not recovered
  int64_t limit = 20;
  int64_t offset = 0;
};
struct Found {
  std::vector<Alert> alerts;  // newest first
  int64_t total = 0;
};
Result<Found> search(sql::Reader& reader, base::UserId user, const Search& wanted);
// Again is no error; the first time stays.
Result<Alert> acknowledge(sql::Writer& tx, base::UserId user, AlertId id, int64_t now_ms);

// Forgets the oldest beyond kMaxAlertsKept; open ones stay.
Result<void> prune(sql::Writer& writer, base::UserId user);

struct Webhook {
  std::string url;
  int64_t updated_at_ms = 0;
};
Result<std::optional<Webhook>> webhook_of(sql::Reader& reader, base::UserId user);
struct NewWebhook {
  base::UserId user;
  std::string_view url;
  std::string_view secret;
  const crypto::Sealer& sealer;
  int64_t now_ms = 0;
};
Result<void> set_webhook(sql::Writer& tx, const NewWebhook& webhook);
// What waits to be sent is not sent any more. Inside a transaction.
Result<void> remove_webhook(sql::Writer& tx, base::UserId user);

// An alert that goes the way of all others. not_found: there is no webhook; conflict: the last test
// is still on its way. Inside a transaction.
Result<Alert> test_webhook(sql::Writer& tx, base::UserId user, int64_t now_ms);

crypto::SealedPlace secret_place(base::UserId user);

}  // namespace deeppool::governance::alerts
