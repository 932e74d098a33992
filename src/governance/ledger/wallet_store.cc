#include "governance/ledger/wallet_store.h"

#include <algorithm>
#include <limits>

#include "governance/funds/limits.h"
#include "governance/funds/terms.h"

namespace deeppool::governance {
namespace {

// The row, made if need be, locked until the transaction ends.
Result<Wallet> locked(sql::Writer& tx, base::UserId user, int64_t now_ms) {
  DP_CHECK(tx.insert_if_absent("INSERT INTO user_wallets (user_id, updated_at) VALUES (?, ?)", user,
                               now_ms));
  DP_TRY(const auto wallet,
         tx.query_one<Wallet>("SELECT posted, leased, allow_overdraft, max_overdraft FROM"
                              " user_wallets WHERE user_id = ? {for_update}",
                              user));
  if (wallet) return *wallet;
  return Error(ErrorCode::internal, "Internal error.", "a wallet vanished");
}

}  // namespace

base::Money Wallet::available() const {
  constexpr base::Int128 kMost = std::numeric_limits<int64_t>::max();
  const base::Int128 units =
      base::Int128{posted.units()} + overdraft().units() - base::Int128{leased.units()};
  return base::Money::units(static_cast<int64_t>(std::clamp<base::Int128>(units, -kMost, kMost)));
}

Wallet Wallet::from_row(const sql::Row& row) {
  Wallet w;
  row.into(w.posted, w.leased, w.allow_overdraft, w.max_overdraft);
  return w;
}

WalletTransaction WalletTransaction::from_row(const sql::Row& row) {
  WalletTransaction t;
  row.into(t.id, t.kind, t.amount, t.ref, t.remark, t.created_at_ms);
  return t;
}

namespace wallets {

Result<Wallet> get(sql::Reader& reader, base::UserId user) {
  DP_TRY(const auto wallet,
         reader.query_one<Wallet>("SELECT posted, leased, allow_overdraft, max_overdraft FROM"
                                  " user_wallets WHERE user_id = ?",
                                  user));
  return wallet.value_or(Wallet());
}

Result<void> set_overdraft(sql::Writer& tx, base::UserId user, OverdraftPolicy policy,
                           int64_t now_ms) {
  DP_TRY(Wallet wallet, locked(tx, user, now_ms));
  wallet.allow_overdraft = policy.allowed;
  wallet.max_overdraft = policy.max;
  if (wallet.leased > base::Money() && wallet.available() < base::Money()) {
    return Error(ErrorCode::conflict,
                 "Requests of this user are running on the old overdraft. Disable the user or wait "
                 "until they have ended, then try again.");
  }
  DP_CHECK(terms_changed(tx));
  DP_CHECK(
      tx.execute("UPDATE user_wallets SET allow_overdraft = ?, max_overdraft = ?,"
                 " version = version + 1, updated_at = ? WHERE user_id = ?",
                 policy.allowed, policy.max, now_ms, user));
  return {};
}

Result<void> recall(sql::Writer& tx, base::UserId user) {
  DP_CHECK(tx.execute("UPDATE user_wallets SET recalled_until = {now_ms} + ? WHERE user_id = ?",
                      kRecallLife.count(), user));
  return terms_changed(tx);
}

Result<void> move(sql::Writer& tx, base::UserId user, base::Money amount, int64_t now_ms) {
  DP_TRY(Wallet wallet, locked(tx, user, now_ms));
  const base::Money left = wallet.available();
  const auto posted = checked_add(wallet.posted, amount);
  if (!posted) {
    return Error(ErrorCode::conflict, "The balance would be larger than any account may be.");
  }
  wallet.posted = *posted;
  if (amount < base::Money() && wallet.available() < base::Money()) {
    return Error(ErrorCode::insufficient_quota,
                 "Only " + left.to_string() +
                     " yuan can be taken from this wallet, besides what running requests hold.");
  }
  DP_CHECK(
      tx.execute("UPDATE user_wallets SET posted = ?, version = version + 1, updated_at = ?"
                 " WHERE user_id = ?",
                 wallet.posted, now_ms, user));
  return {};
}

Result<Found> transactions(sql::Reader& reader, base::UserId user, const Search& w) {
  const std::optional<std::string_view> kind =
      w.kind ? std::optional(ledger::to_string(*w.kind)) : std::nullopt;
  Found found;
  DP_TRY(found.total,
         reader.query_value<int64_t>(
             "SELECT COUNT(*) FROM wallet_transactions WHERE user_id = ? AND created_at >= ? AND"
             " created_at < ? AND kind = COALESCE(?, kind)",
             user, w.from_ms, w.to_ms, kind));
  DP_TRY(found.transactions,
         reader.query<WalletTransaction>(
             "SELECT txn_id, kind, amount, ref, remark, created_at FROM wallet_transactions WHERE"
             " user_id = ? AND created_at >= ? AND created_at < ? AND kind = COALESCE(?, kind)"
             " ORDER BY created_at DESC, txn_id DESC LIMIT ? OFFSET ?",
             user, w.from_ms, w.to_ms, kind, w.limit, w.offset));
  return found;
}

}  // namespace wallets
}  // namespace deeppool::governance
