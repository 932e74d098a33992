// Reads what caches the sums of other tables: wallets, used quotas and grants, leases.
#include <fmt/format.h>

#include <optional>

#include "governance/funds/fund.h"
#include "governance/funds/limits.h"
#include "governance/verify/passes.h"

namespace deeppool::governance::verify {
namespace {

using base::Money;

class FundsPass {
 public:
  FundsPass(sql::Reader& reader, Report& report, const Balances& balances)
      : reader_(reader), report_(report), users_(balances.users), keys_(balances.keys) {}

  Result<void> run() {
    DP_CHECK(read_leases());
    DP_CHECK(check_wallets());
    DP_CHECK(check_keys());
    DP_CHECK(check_grants());
    for (const auto& [fund, amount] : leases_) {
      if (amount != 0) leased_is(fund, 0);  // of a fund that is not there
    }
    return {};
  }

 private:
  Result<void> read_leases() {
    DP_TRY(const int64_t now, reader_.query_value<int64_t>("SELECT {now_ms}"));
    return reader_.for_each(
        [&](const sql::Row& row) {
          const auto kind = row.get<std::string_view>(0);
          const auto fund = row.get<int64_t>(1);
          const auto amount = row.get<int64_t>(2);
          const auto expires = row.get<int64_t>(3);
          leases_[{kind_of(kind), fund}] += amount;
          report_.checked(Invariant::stale_leases);
          // What is not above 0 holds nothing.
          if (amount <= 0 || expires + kReclaimGrace.count() >= now) return;
          report_.broken(Invariant::stale_leases,
                         fmt::format("{} {}: {} held by instance {} since before {}", kind, fund,
                                     amount, row.get<std::string_view>(4), expires));
        },
        "SELECT kind, fund_id, amount, expires_at, instance FROM fund_leases");
  }

  static FundKind kind_of(std::string_view name) {
    for (const FundKind kind : {FundKind::quota, FundKind::grant}) {
      if (name == to_string(kind)) return kind;
    }
    return FundKind::wallet;
  }

  // Takes the fund's leases out of the list, so that what stays there has no fund.
  void leased_is(FundId fund, Int128 leased) {
    report_.checked(Invariant::leases);
    Int128 sum = 0;
    if (const auto found = leases_.find(fund); found != leases_.end()) {
      sum = std::exchange(found->second, 0);
    }
    if (sum == leased) return;
    report_.broken(
        Invariant::leases,
        fmt::format("{} {}: {} is said to be leased, the leases are {}", to_string(fund.kind),
                    fund.id, amount(fund, leased), amount(fund, sum)));
  }

  // What is leased must be there. Debts are no lease: an upstream that exceeds its limit is paid,
  // whoever has leased the rest meanwhile. They are noted as long as so much is missing.
  void covered(FundId fund, Int128 there, Int128 leased, Int128 exceeded) {
    const Int128 missing = std::max<Int128>(leased - there, 0);
    if (exceeded < 0 || exceeded > missing) {
      report_.broken(Invariant::leases, fmt::format("{} {}: debts of {} are noted, {} is missing",
                                                    to_string(fund.kind), fund.id,
                                                    amount(fund, exceeded), amount(fund, missing)));
    }
    const Int128 excess = leased - exceeded - std::max<Int128>(there, 0);
    if (excess <= 0) return;
    report_.broken(Invariant::leases,
                   fmt::format("{} {}: {} is leased, that is {} too much", to_string(fund.kind),
                               fund.id, amount(fund, leased), amount(fund, excess)));
  }

  static std::string amount(FundId fund, Int128 n) {
    if (fund.kind == FundKind::wallet) return yuan(n);
    const auto whole = static_cast<int64_t>(n);
    return whole == n ? std::to_string(whole) : "too much";
  }

  Result<void> check_wallets() {
    DP_CHECK(reader_.for_each(
        [&](const sql::Row& row) {
          const auto user = row.get<base::UserId>(0);
          const Int128 posted = row.get<Money>(1).units();
          const Int128 leased = row.get<Money>(2).units();
          const Int128 overdraft = row.get<bool>(3) ? row.get<Money>(4).units() : 0;
          posted_is(user, posted);
          const FundId fund{FundKind::wallet, user.value};
          leased_is(fund, leased);
          covered(fund, posted + overdraft, leased, row.get<Money>(5).units());
        },
        "SELECT user_id, posted, leased, allow_overdraft, max_overdraft, exceeded"
        " FROM user_wallets"));
    for (const auto& [user, sum] : users_) {
      if (sum != 0) posted_is(user, 0);  // entries of a user without a wallet
    }
    return {};
  }

  void posted_is(base::UserId user, Int128 posted) {
    report_.checked(Invariant::wallets);
    Int128 sum = 0;
    if (const auto found = users_.find(user); found != users_.end()) {
      sum = std::exchange(found->second, 0);
    }
    if (sum == posted) return;
    report_.broken(Invariant::wallets, fmt::format("user {}: the wallet says {}, the entries {}",
                                                   user.value, yuan(posted), yuan(sum)));
  }

  Result<void> check_keys() {
    return reader_.for_each(
        [&](const sql::Row& row) {
          report_.checked(Invariant::quotas);
          const auto key = row.get<base::ApiKeyId>(0);
          const auto used = row.get<int64_t>(1);
          const FundId fund{FundKind::quota, key.value};
          const Int128 leased = row.get<int64_t>(2);
          leased_is(fund, leased);
          if (const auto total = row.get<int64_t>(4); total >= 0) {
            covered(fund, Int128{total} - used, leased, row.get<int64_t>(5));
          }
          const Int128 charged = row.get<Money>(3).units();
          const auto found = keys_.find(key);
          const KeyUse use = found == keys_.end() ? KeyUse{} : found->second;
          if (use.tokens == used && use.charged == charged) return;
          report_.broken(
              Invariant::quotas,
              fmt::format("key {}: {} used for {} yuan, {} for {} by its usage", key.value, used,
                          yuan(charged), whole(use.tokens), yuan(use.charged)));
        },
        "SELECT id, quota_used, quota_leased, charged, quota_total, quota_exceeded FROM api_keys");
  }

  static std::string whole(Int128 n) { return amount({}, n); }

  // What each request says that grants paid of it.
  Result<void> check_uses() {
    return reader_.for_each(
        [&](const sql::Row& row) {
          report_.broken(Invariant::quotas,
                         fmt::format("request {}: {} tokens of grants more than its uses say",
                                     row.get<base::RequestId>(0).to_string(), row.get<int64_t>(1)));
        },
        "SELECT request_id, SUM(n) FROM (SELECT request_id, grant_tokens AS n FROM usage_records"
        " WHERE grant_tokens <> 0 UNION ALL SELECT request_id, 0 - tokens FROM token_grant_uses)"
        " parts GROUP BY request_id HAVING SUM(n) <> 0");
  }

  Result<void> check_grants() {
    DP_CHECK(check_uses());
    std::unordered_map<int64_t, Int128> uses;
    DP_CHECK(reader_.for_each(
        [&](const sql::Row& row) { uses[row.get<int64_t>(0)] += row.get<int64_t>(1); },
        "SELECT grant_id, tokens FROM token_grant_uses"));
    DP_CHECK(reader_.for_each(
        [&](const sql::Row& row) {
          const auto id = row.get<int64_t>(0);
          const Int128 used = row.get<int64_t>(2);
          const Int128 leased = row.get<int64_t>(3);
          const FundId fund{FundKind::grant, id};
          leased_is(fund, leased);
          covered(fund, row.get<int64_t>(1) - used, leased, row.get<int64_t>(4));
          report_.checked(Invariant::quotas);
          const Int128 sum = std::exchange(uses[id], 0);
          if (sum == used) return;
          report_.broken(Invariant::quotas, fmt::format("grant {}: {} used, {} by its uses", id,
                                                        whole(used), whole(sum)));
        },
        "SELECT id, tokens_total, tokens_used, tokens_leased, exceeded FROM token_grants"));
    for (const auto& [id, sum] : uses) {
      if (sum == 0) continue;
      report_.broken(Invariant::quotas,
                     fmt::format("grant {}: {} used, but there is no such grant", id, whole(sum)));
    }
    return {};
  }

  sql::Reader& reader_;
  Report& report_;
  std::unordered_map<base::UserId, Int128> users_;
  std::unordered_map<base::ApiKeyId, KeyUse> keys_;
  std::map<FundId, Int128> leases_;
};

}  // namespace

Result<void> check_funds(sql::Reader& reader, Report& report, const Balances& balances) {
  return FundsPass(reader, report, balances).run();
}

}  // namespace deeppool::governance::verify
