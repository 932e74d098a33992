// What a request spends from: a key's token quota, a user's free token grants, a user's wallet.
// Plain values. Amounts are int64: tokens, or units of 10^-10 yuan for a wallet.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

#include "base/ids.h"
#include "base/money.h"

namespace deeppool::governance {

// In the order in which transactions touch them.
enum class FundKind : uint8_t { quota, grant, wallet };
std::string_view to_string(FundKind kind);  // as fund_leases.kind says it

struct FundId {
  FundKind kind = FundKind::quota;
  int64_t id = 0;  // of the API key, the grant or the user
  auto operator<=>(const FundId&) const = default;
};

// The most that a request may take.
struct Demand {
  base::UserId user;
  base::ApiKeyId key;
  int64_t quota_total = -1;  // tokens, as the key's row says now; -1: unlimited
  int64_t tokens = 0;        // prompt and output
  base::Money cost = {};     // of those tokens at list price; 0: free of charge
};

// What of `cost` is left to pay when grants cover `granted` of `tokens` tokens and the discount is
// taken off; in doubt one unit more. Never above what the final charge of fewer tokens at lower
// prices can be, because that charge falls with both.
base::Money payable_bound(base::Money cost, int64_t tokens, int64_t granted, int64_t discount_ppm);

}  // namespace deeppool::governance
