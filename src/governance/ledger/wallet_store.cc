#include "governance/ledger/wallet_store.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "governance/funds/debts.h"
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
namespace {

// Whatever page is wanted lies within the newest of both kinds.
int64_t newest(const Search& w) {
  return w.offset + w.limit;
}

Result<void> add_movements(sql::Reader& reader, base::UserId user, const Search& w, Found& found) {
  const std::optional<std::string_view> kind =
      w.kind ? std::optional(ledger::to_string(*w.kind)) : std::nullopt;
  DP_TRY(const int64_t count,
         reader.query_value<int64_t>(
             "SELECT COUNT(*) FROM ledger_entries e JOIN ledger_txns t ON t.txn_id = e.txn_id WHERE"
             " e.user_id = ? AND e.created_at >= ? AND e.created_at < ? AND"
             " t.kind = COALESCE(?, t.kind)",
             user, w.from_ms, w.to_ms, kind));
  DP_TRY(
      found.transactions,
      reader.query<WalletTransaction>(
          "SELECT e.txn_id, t.kind, e.amount, t.ref, t.remark, e.created_at FROM ledger_entries e"
          " JOIN ledger_txns t ON t.txn_id = e.txn_id WHERE e.user_id = ? AND e.created_at >= ?"
          " AND e.created_at < ? AND t.kind = COALESCE(?, t.kind)"
          " ORDER BY e.created_at DESC, e.txn_id DESC LIMIT ?",
          user, w.from_ms, w.to_ms, kind, newest(w)));
  found.total += count;
  return {};
}

Result<void> add_uses(sql::Reader& reader, base::UserId user, const Search& w, Found& found) {
  const auto from = base::RequestId::first_of(w.from_ms);
  const auto to = base::RequestId::first_of(w.to_ms);
  DP_TRY(const int64_t count,
         reader.query_value<int64_t>("SELECT COUNT(*) FROM usage_records WHERE user_id = ? AND"
                                     " request_id >= ? AND request_id < ? AND charged <> 0",
                                     user, from, to));
  DP_CHECK(reader.for_each(
      [&](const sql::Row& row) {
        const auto request = row.get<base::RequestId>(0);
        WalletTransaction& t = found.transactions.emplace_back();
        t.id = "use:" + request.to_string();
        t.kind = ledger::to_string(ledger::Kind::use);
        t.amount = -row.get<base::Money>(1);
        t.ref = row.get<std::string_view>(2);
        t.created_at_ms = request.unix_ms();
      },
      "SELECT request_id, charged, model_name FROM usage_records WHERE user_id = ? AND"
      " request_id >= ? AND request_id < ? AND charged <> 0 ORDER BY request_id DESC LIMIT ?",
      user, from, to, newest(w)));
  found.total += count;
  return {};
}

}  // namespace

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
  return forget_paid_debts(tx, {FundKind::wallet, user.value});
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
  return forget_paid_debts(tx, {FundKind::wallet, user.value});
}

Result<Found> transactions(sql::Reader& reader, base::UserId user, const Search& w) {
  Found found;
  DP_CHECK(add_movements(reader, user, w, found));
  if (!w.kind || *w.kind == ledger::Kind::use) DP_CHECK(add_uses(reader, user, w, found));
  auto& all = found.transactions;
  std::ranges::sort(all, [](const WalletTransaction& a, const WalletTransaction& b) {
    return std::tie(a.created_at_ms, a.id) > std::tie(b.created_at_ms, b.id);
  });
  const auto skipped = std::min<int64_t>(w.offset, std::ssize(all));
  all.erase(all.begin(), all.begin() + skipped);
  if (std::ssize(all) > w.limit) all.resize(static_cast<size_t>(w.limit));
  return found;
}

}  // namespace wallets
}  // namespace deeppool::governance
