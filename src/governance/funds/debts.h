// Debts: by how much of a fund more is leased than there is, because requests cost more than they
// held (`exceeded`). Invariant, which `ledger verify` checks: they are never above what is missing,
// leased - there; posting a charge changes neither. Whatever adds to what is there, or gives leases
// back, forgets what it has paid, in its transaction. Blocking; on the threads of its callers.
#pragma once

#include "base/error.h"
#include "governance/funds/fund.h"
#include "sql/session.h"

namespace deeppool::governance {

Result<void> forget_paid_debts(sql::Writer& tx, FundId fund);

}  // namespace deeppool::governance
