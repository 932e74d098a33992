// The table user_wallets (the cached sums of the ledger, what of them is leased, the permitted
// overdraft) and a user's statement: what was charged and what else was moved. Blocking; for
// blocking pools. A user without a row has nothing and no overdraft. Invariant: `posted` changes
// only together with ledger entries.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/money.h"
#include "governance/ledger/ledger.h"
#include "sql/session.h"

namespace deeppool::governance {

struct Wallet {
  base::Money posted;  // the sum of the user's ledger entries; below 0: owed
  base::Money leased;  // of it, what instances keep for running and coming requests
  bool allow_overdraft = false;
  base::Money max_overdraft;  // counts only if allowed

  base::Money overdraft() const { return allow_overdraft ? max_overdraft : base::Money(); }
  // What new leases and withdrawals may still take: posted + overdraft - leased.
  base::Money available() const;

  static Wallet from_row(const sql::Row& row);
};

// One line of a user's statement.
struct WalletTransaction {
  std::string id;  // of the ledger's transaction
  std::string kind;
  base::Money amount;
  std::string ref;
  std::string remark;
  int64_t created_at_ms = 0;

  static WalletTransaction from_row(const sql::Row& row);
};

namespace wallets {

Result<Wallet> get(sql::Reader& reader, base::UserId user);

struct OverdraftPolicy {
  bool allowed = false;
  base::Money max;  // not negative
};
// conflict: less than what leases have taken already; see recall().
Result<void> set_overdraft(sql::Writer& tx, base::UserId user, OverdraftPolicy policy,
                           int64_t now_ms);

// Asks every instance for what its leases of this wallet keep in reserve: within a second or two
// only running requests hold something, for kRecallLife. Inside a transaction that other processes
// hear of. Without a wallet nothing is leased.
Result<void> recall(sql::Writer& tx, base::UserId user);

// For ledger::post alone: changes `posted`. Errors as described there.
Result<void> move(sql::Writer& tx, base::UserId user, base::Money amount, int64_t now_ms);

struct Search {
  std::optional<ledger::Kind> kind{};
  int64_t from_ms = 0;
  int64_t to_ms = 0;  // exclusive
  int64_t limit = 20;
  int64_t offset = 0;
};
struct Found {
  std::vector<WalletTransaction> transactions;  // newest first
  int64_t total = 0;
};
// A page costs as much as all before it; a charge is dated by when its request came in.
Result<Found> transactions(sql::Reader& reader, base::UserId user, const Search& wanted);

}  // namespace wallets
}  // namespace deeppool::governance
