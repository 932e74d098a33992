#include "governance/ledger/usage_posting.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

#include "governance/funds/fund.h"

namespace deeppool::governance::ledger {
namespace {

using base::Int128;
using base::Money;

// What a batch takes out of each fund. Ordered, so that every instance locks rows in one order.
struct Spent {
  std::map<base::ApiKeyId, int64_t> quotas;
  std::map<base::GrantId, int64_t> grants;
  struct FromWallet {
    Int128 units = 0;
    int64_t at_ms = 0;
  };
  std::map<base::UserId, FromWallet> wallets;

  void add(const UsageRow& row) {
    if (row.quota_leased) quotas[row.key] += row.usage.total();
    for (const GrantPart& part : row.bill.grants.list()) grants[part.grant] += part.tokens;
    if (row.bill.charged == Money()) return;
    FromWallet& wallet = wallets[row.user];
    wallet.units += row.bill.charged.units();
    wallet.at_ms = std::max(wallet.at_ms, row.finished_at_ms());
  }
};

Result<void> use_grants(sql::Writer& tx, std::span<const UsageRow* const> rows,
                        const Spent& spent) {
  if (spent.grants.empty()) return {};
  using Use = std::tuple<base::GrantId, base::RequestId, int64_t>;
  std::vector<Use> uses;
  for (const UsageRow* row : rows) {
    for (const GrantPart& part : row->bill.grants.list()) {
      uses.emplace_back(part.grant, row->request_id, part.tokens);
    }
  }
  DP_CHECK(
      tx.insert_rows("INSERT INTO token_grant_uses (grant_id, request_id, tokens) {rows}",
                     std::span<const Use>(uses)));
  for (const auto& [grant, tokens] : spent.grants) {
    DP_CHECK(
        tx.execute("UPDATE token_grants SET tokens_used = tokens_used + ?,"
                   " tokens_leased = tokens_leased - ? WHERE id = ?",
                   tokens, tokens, grant));
  }
  return {};
}

Result<Money> in_range(Int128 units) {
  if (const auto sum = Money::from_units(units)) return *sum;
  return Error(ErrorCode::internal, "Internal error.", "charges of a batch exceed Money");
}

Result<void> charge_wallets(sql::Writer& tx, const Spent& spent) {
  using Change = std::tuple<base::UserId, Money, Money, int64_t>;
  std::vector<Change> changes;
  for (const auto& [user, taken] : spent.wallets) {
    DP_TRY(const Money change, in_range(-taken.units));
    changes.emplace_back(user, change, change, taken.at_ms);
  }
  return tx.insert_rows(
      "INSERT INTO user_wallets (user_id, posted, leased, updated_at) {rows}"
      " {upsert user_id} posted = posted + {new posted}, leased = leased + {new leased},"
      " version = version + 1, updated_at = {new updated_at}",
      std::span<const Change>(changes));
}

// A lease may fall below 0, or begin there: what went beyond it is made good by the next refill.
Result<void> use_leases(sql::Writer& tx, const Spent& spent, const std::string& instance) {
  using Change = std::tuple<std::string_view, int64_t, std::string_view, int64_t, int64_t>;
  std::vector<Change> changes;
  const auto take = [&](FundKind kind, int64_t id, int64_t amount) {
    changes.emplace_back(to_string(kind), id, instance, -amount, 0);
  };
  for (const auto& [key, tokens] : spent.quotas) take(FundKind::quota, key.value, tokens);
  for (const auto& [grant, tokens] : spent.grants) take(FundKind::grant, grant.value, tokens);
  for (const auto& [user, taken] : spent.wallets) {
    take(FundKind::wallet, user.value, static_cast<int64_t>(taken.units));
  }
  return tx.insert_rows(
      "INSERT INTO fund_leases (kind, fund_id, instance, amount, expires_at) {rows}"
      " {upsert kind, fund_id, instance} amount = amount + {new amount}",
      std::span<const Change>(changes));
}

}  // namespace

Result<void> post_usage(sql::Writer& tx, std::span<const UsageRow* const> rows,
                        const std::string& instance) {
  Spent spent;
  for (const UsageRow* row : rows) spent.add(*row);
  DP_CHECK(use_grants(tx, rows, spent));
  DP_CHECK(charge_wallets(tx, spent));
  return use_leases(tx, spent, instance);
}

}  // namespace deeppool::governance::ledger
