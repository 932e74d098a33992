#include "governance/funds/fund.h"

#include <algorithm>

#include "governance/pricing/charge.h"

namespace deeppool::governance {

std::string_view to_string(FundKind kind) {
  switch (kind) {
    case FundKind::quota:
      return "quota";
    case FundKind::grant:
      return "grant";
    case FundKind::wallet:
      return "wallet";
  }
  return "";
}

base::Money payable_bound(base::Money cost, int64_t tokens, int64_t granted, int64_t discount_ppm) {
  const int64_t paid = std::clamp<int64_t>(tokens - granted, 0, tokens);
  if (paid == 0) return {};
  const base::Int128 rate = kMillion - discount_ppm;
  // Two steps, each rounded up: the whole product may pass 128 bits.
  const auto up = [](base::Int128 n, base::Int128 d) { return (n + d - 1) / d; };
  const base::Int128 undiscounted = up(base::Int128{cost.units()} * paid, tokens);
  return base::Money::units(static_cast<int64_t>(up(undiscounted * rate, kMillion)));
}

}  // namespace deeppool::governance
