// The passes of verify(), in the order in which they run: each reads its tables once and notes what
// is wrong; Balances is what one pass leaves for a later one. Used by verify() alone.
#pragma once

#include <iosfwd>
#include <map>
#include <unordered_map>

#include "base/error.h"
#include "base/ids.h"
#include "base/money.h"
#include "governance/verify/report.h"
#include "sql/session.h"

namespace deeppool::governance::verify {

// Sums that no 64 bits can overflow: a broken book may say anything.
using base::Int128;
std::string yuan(Int128 units);

struct KeyUse {
  Int128 tokens = 0;
  Int128 charged = 0;
};

struct Balances {
  std::unordered_map<base::UserId, Int128> users;  // sums of entries, those of usage included
  std::unordered_map<base::ApiKeyId, KeyUse> keys;
};

// Transactions and entries of the ledger's own tables against each other.
Result<void> check_ledger(sql::Reader& reader, Report& report, Balances& balances);
// Usage rows, the ledger's other entries, against their holds and prices.
Result<void> check_usage(sql::Reader& reader, Report& report, Balances& balances);
// Wallets, quotas, grants and leases against the sums.
Result<void> check_funds(sql::Reader& reader, Report& report, const Balances& balances);
// Daily sums against usage, and their roll-ups against them.
Result<void> check_rollups(sql::Reader& reader, Report& report);
Result<void> check_journal(sql::Reader& reader, Report& report, std::istream& journal);

}  // namespace deeppool::governance::verify
