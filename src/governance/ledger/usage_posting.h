// Posts what finished requests are charged: wallets, token grants, and the leases that both were
// held in. The ledger's entries are the usage rows themselves (view ledger_journal). For
// UsageStore's transaction alone; its thread. A request that was free costs nothing here.
#pragma once

#include <span>
#include <string>

#include "base/error.h"
#include "governance/usage/usage_row.h"
#include "sql/session.h"

namespace deeppool::governance::ledger {

// `rows` are new to the store. What is spent is taken off the leases of `instance`, too, so that
// what is available to others does not change; the keys' own columns are UsageStore's to write.
// internal: a sum beyond Money.
Result<void> post_usage(sql::Writer& tx, std::span<const UsageRow* const> rows,
                        const std::string& instance);

}  // namespace deeppool::governance::ledger
