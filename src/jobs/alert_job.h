// Looks at the users' alert rules every few seconds and sends new alerts to their webhooks: a POST
// of the alert as JSON, signed, without following redirects, repeated for a while when it fails.
// One per program, on one loop; of several programs on one database the holder of `lease` does it.
//   X-DeepPool-Signature: t=<unix seconds>,v1=<hex HMAC-SHA-256 of "<t>.<body>" with the secret>
#pragma once

#include <string>
#include <string_view>

#include "async/blocking_pool.h"
#include "async/cancel.h"
#include "async/task.h"
#include "base/clock.h"
#include "crypto/sealer.h"
#include "governance/alerts/alert.h"
#include "http/client/client.h"
#include "jobs/job_lease.h"
#include "sql/database.h"

namespace deeppool::jobs {

// Longer than a pass, whose attempts to send take governance::alerts::kAttemptTimeout at most: so
// late may an alert be when the program that looked has died.
inline constexpr std::chrono::seconds kAlertLease{30};

// All of it outlives the job.
struct AlertParts {
  sql::Database& database;
  async::BlockingPool& pool;
  async::BlockingPool& lookups;
  http::TlsContexts& contexts;
  const http::Proxy& proxy;  // only used when webhooks may lead anywhere
  const crypto::Sealer& sealer;
  const base::Clock& clock;
  governance::alerts::Targets targets = governance::alerts::Targets::public_only;
};

// Until `scope` is cancelled.
Task<void> watch_alerts(AlertParts parts, JobLease lease, async::CancelScope& scope);
// One pass of it: look, then send what is due, and wait for that.
Task<void> alert_pass(const AlertParts& parts, http::Client& client, async::CancelScope& scope);

// The value of X-DeepPool-Signature.
std::string webhook_signature(std::string_view secret, int64_t unix_seconds, std::string_view body);

}  // namespace deeppool::jobs
