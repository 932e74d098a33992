// One look at all rules: an alert is raised when its rule comes true, once, and recovers when the
// rule is not true any more, which arms it again. Any number of instances may look at the same
// time: the unique key of the table lets one of them raise an alert. Blocking; for blocking pools.
#pragma once

#include "governance/alerts/alert.h"
#include "sql/database.h"

namespace deeppool::governance::alerts {

struct PassOutcome {
  int64_t raised = 0;
  int64_t recovered = 0;
};
// At most kMaxPerPass of each; the next pass goes on.
Result<PassOutcome> look_at_rules(sql::Database& database, int64_t now_ms);

}  // namespace deeppool::governance::alerts
