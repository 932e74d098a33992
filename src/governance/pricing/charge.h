// What a request costs, and the most it can cost. Pure arithmetic on integers of 128 bits, a few
// multiplications, no allocation; rounded once, half up, to 10^-10 yuan. Invariants (the tests hold
// them against numbers of any length): 0 <= charge; more tokens of any class never cost less within
// one tier; charge <= bound for every usage within the bound's tokens.
#pragma once

#include "base/error.h"
#include "base/money.h"
#include "governance/pricing/price_tiers.h"
#include "llm/usage.h"

namespace deeppool::governance {

inline constexpr int64_t kMillion = 1'000'000;

// What a user does not pay of the gross price, in this order.
struct Reduction {
  int64_t grant_tokens = 0;  // covered by free grants; above all tokens: all of them
  int64_t discount_ppm = 0;  // of the rest, in parts per million: 200,000 is 20 % off
};

// (sum of tokens x price) x (T - grant)/T x (1 - discount) / 10^6, T being all tokens. An empty
// list is free. Errors (internal; the caller's counts cannot be billed): a count that is negative,
// above kMaxRequestTokens or more than what it is part of; a discount outside 0 .. 10^6; a sum
// beyond Money.
Result<base::Money> charge(const PriceTiers& tiers, const llm::Usage& usage,
                           Reduction reduction = {});

// The most that charge() says, with the same reduction, for up to this many tokens of any classes,
// in whichever tier such a prompt may fall. Rises with both counts. Negative counts are 0; what is
// beyond Money or kMaxRequestTokens is Money's largest amount, which no account has.
base::Money bound(const PriceTiers& tiers, int64_t prompt_tokens, int64_t output_tokens,
                  Reduction reduction = {});

}  // namespace deeppool::governance
