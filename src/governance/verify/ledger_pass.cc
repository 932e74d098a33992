// Reads the ledger's own tables in order of transaction ids, in chunks: a merge of two sorted
// streams. The entries of usage are not among them: they are the usage rows (usage_pass.cc).
#include <fmt/format.h>

#include <map>
#include <optional>
#include <vector>

#include "base/text.h"
#include "governance/ledger/ledger.h"
#include "governance/verify/limits.h"
#include "governance/verify/passes.h"

namespace deeppool::governance::verify {
namespace {

// Sorts after every id: they begin with a letter.
constexpr std::string_view kBeyondIds = "~~~~";

struct Txn {
  std::string id;
  std::string kind;
  int entries = 0;
  Int128 sum = 0;
  Int128 of_users = 0;   // into wallets
  Int128 payable = 0;    // to devices' owners
  Int128 subsidies = 0;  // what promotion and the platform gave
};

class LedgerPass {
 public:
  LedgerPass(sql::Reader& reader, Report& report, Balances& balances)
      : reader_(reader), report_(report), balances_(balances) {}

  Result<void> run() {
    std::string from;
    while (true) {
      DP_CHECK(read_txns(from));
      const bool last = txns_.size() < static_cast<size_t>(kChunkRows);
      const std::string to = last ? std::string(kBeyondIds) : txns_.back().id;
      DP_CHECK(read_entries(from, to));
      for (const Txn& txn : txns_) check(txn);
      if (last) break;
      from = to;
    }
    report_.checked(Invariant::books_balance, entries_);
    if (total_ != 0) {
      report_.broken(Invariant::books_balance, "the entries sum to " + yuan(total_));
    }
    return check_refunds();
  }

 private:
  Result<void> read_txns(const std::string& from) {
    txns_.clear();
    return reader_.for_each(
        [&](const sql::Row& row) {
          Txn& txn = txns_.emplace_back();
          row.into(txn.id, txn.kind);
        },
        "SELECT txn_id, kind FROM ledger_txns WHERE txn_id > ? ORDER BY txn_id LIMIT ?", from,
        kChunkRows);
  }

  // Both lists are in order, so each entry's transaction is at or after the one before.
  Result<void> read_entries(const std::string& from, const std::string& to) {
    size_t at = 0;
    return reader_.for_each(
        [&](const sql::Row& row) {
          const auto id = row.get<std::string_view>(0);
          const auto account = row.get<std::string_view>(1);
          const auto user = row.get<std::optional<base::UserId>>(2);
          const Int128 amount = row.get<base::Money>(3).units();
          while (at < txns_.size() && txns_[at].id < id) ++at;
          note(id, account, user, amount);
          if (at < txns_.size() && txns_[at].id == id) {
            add(txns_[at], account, user, amount);
          } else {
            report_.broken(Invariant::txns_balance,
                           fmt::format("{}: an entry without its transaction", id));
          }
        },
        "SELECT txn_id, account, user_id, amount FROM ledger_entries WHERE txn_id > ? AND"
        " txn_id <= ? ORDER BY txn_id, account",
        from, to);
  }

  void note(std::string_view txn, std::string_view account, std::optional<base::UserId> user,
            Int128 amount) {
    ++entries_;
    total_ += amount;
    if (user) balances_.users[*user] += amount;
    const bool known =
        user ? account == ledger::user_account(*user)
             : ledger::is_account(account) && !account.starts_with(ledger::kUserPrefix);
    if (!known) {
      report_.broken(Invariant::wallets,
                     fmt::format("{}: account {} is not whose it says", txn, account));
    }
  }

  static void add(Txn& txn, std::string_view account, std::optional<base::UserId> user,
                  Int128 amount) {
    ++txn.entries;
    txn.sum += amount;
    if (user) {
      txn.of_users += amount;
    } else if (account.starts_with(ledger::kDevicePayablePrefix)) {
      txn.payable += amount;
    } else if (account == ledger::kPromo || account == ledger::kPlatformLoss) {
      txn.subsidies -= amount;
    }
  }

  void check(const Txn& txn) {
    report_.checked(Invariant::txns_balance);
    if (txn.sum != 0 || txn.entries < 2) {
      report_.broken(Invariant::txns_balance, fmt::format("{}: {} entries that sum to {}", txn.id,
                                                          txn.entries, yuan(txn.sum)));
    }
    if (!txn.id.starts_with(txn.kind + ":")) {
      report_.broken(Invariant::txns_balance,
                     fmt::format("{}: its kind is said to be {}", txn.id, txn.kind));
    }
    if (txn.kind == "use") {
      report_.broken(Invariant::usage_posted, txn.id + ": is posted beside its usage row");
    }
    if (txn.payable != 0) check_payable(txn);
    if (txn.kind == "topup") check_topup(txn);
    if (txn.kind == "refund") note_refund(txn);
  }

  void check_payable(const Txn& txn) {
    report_.checked(Invariant::payables);
    if (txn.payable < 0 || -txn.of_users + txn.subsidies < txn.payable) {
      report_.broken(Invariant::payables,
                     fmt::format("{}: {} is owed, {} was paid, {} given", txn.id, yuan(txn.payable),
                                 yuan(-txn.of_users), yuan(txn.subsidies)));
    }
  }

  void check_topup(const Txn& txn) {
    report_.checked(Invariant::payments);
    if (txn.of_users > 0) return;
    report_.broken(Invariant::payments, fmt::format("{}: credits {}", txn.id, yuan(txn.of_users)));
  }

  // "refund:<transaction that is refunded>:<number>"
  void note_refund(const Txn& txn) {
    report_.checked(Invariant::payments);
    const std::string_view id = txn.id;
    const size_t number = id.rfind(':');
    const size_t begin = id.find(':') + 1;
    const std::string original(number > begin ? id.substr(begin, number - begin) : "");
    refunds_[original] += txn.of_users;
  }

  // A refund moves money the other way than its original.
  Result<void> check_refunds() {
    for (const auto& [original, refunded] : refunds_) {
      Int128 paid = 0;
      DP_CHECK(reader_.for_each(
          [&](const sql::Row& row) { paid += row.get<base::Money>(0).units(); },
          "SELECT amount FROM ledger_entries WHERE txn_id = ? AND user_id IS NOT NULL", original));
      const bool within =
          paid > 0 ? refunded <= 0 && refunded >= -paid : refunded >= 0 && refunded <= -paid;
      if (within) continue;
      report_.broken(Invariant::payments, fmt::format("{}: {} moved, {} refunded", original,
                                                      yuan(paid), yuan(refunded)));
    }
    return {};
  }

  sql::Reader& reader_;
  Report& report_;
  Balances& balances_;
  std::vector<Txn> txns_;
  std::map<std::string, Int128> refunds_;  // rare: one for each refunded transaction
  Int128 total_ = 0;
  int64_t entries_ = 0;
};

}  // namespace

Result<void> check_ledger(sql::Reader& reader, Report& report, Balances& balances) {
  return LedgerPass(reader, report, balances).run();
}

}  // namespace deeppool::governance::verify
