#include "governance/funds/debts.h"

namespace deeppool::governance {

Result<void> forget_paid_debts(sql::Writer& tx, FundId fund) {
  if (fund.kind == FundKind::quota) {
    DP_CHECK(
        tx.execute("UPDATE api_keys SET quota_exceeded = CASE"
                   " WHEN quota_total < 0 OR quota_used + quota_leased <= quota_total THEN 0"
                   " ELSE quota_used + quota_leased - quota_total END"
                   " WHERE id = ? AND quota_exceeded > 0 AND (quota_total < 0"
                   " OR quota_exceeded > quota_used + quota_leased - quota_total)",
                   fund.id));
  } else if (fund.kind == FundKind::grant) {
    DP_CHECK(
        tx.execute("UPDATE token_grants SET exceeded = CASE"
                   " WHEN tokens_used + tokens_leased <= tokens_total THEN 0"
                   " ELSE tokens_used + tokens_leased - tokens_total END"
                   " WHERE id = ? AND exceeded > 0"
                   " AND exceeded > tokens_used + tokens_leased - tokens_total",
                   fund.id));
  } else {
    DP_CHECK(
        tx.execute("UPDATE user_wallets SET exceeded = CASE"
                   " WHEN leased <= posted + allow_overdraft * max_overdraft THEN 0"
                   " ELSE leased - posted - allow_overdraft * max_overdraft END"
                   " WHERE user_id = ? AND exceeded > 0"
                   " AND exceeded > leased - posted - allow_overdraft * max_overdraft",
                   fund.id));
  }
  return {};
}

}  // namespace deeppool::governance
