#include "governance/pricing/charge.h"

#include <algorithm>
#include <limits>

#include "governance/limits.h"

namespace deeppool::governance {
namespace {

using base::Int128;
using base::Money;

using Counts = std::array<int64_t, kTokenClasses>;

Error not_billable(const char* detail) {
  return Error(ErrorCode::internal, "The cost of this request could not be computed.", detail);
}

bool in_range(int64_t tokens) {
  return tokens >= 0 && tokens <= kMaxRequestTokens;
}

// The parts of a usage, disjoint; nothing if some part is out of range or the parts exceed the
// whole.
std::optional<Counts> split(const llm::Usage& u) {
  const Counts counts = {
      0, u.cached_tokens,       u.cache_write_tokens,  u.image_input_tokens, u.audio_input_tokens,
      0, u.image_output_tokens, u.audio_output_tokens,
  };
  if (!in_range(u.prompt_tokens) || !in_range(u.completion_tokens)) return std::nullopt;
  if (!std::ranges::all_of(counts, in_range)) return std::nullopt;
  Counts split = counts;
  split[0] = u.prompt_tokens;
  split[kInputClasses] = u.completion_tokens;
  for (size_t i = 1; i < kTokenClasses; ++i) {
    if (i != kInputClasses) split[i < kInputClasses ? 0 : kInputClasses] -= counts[i];
  }
  if (split[0] < 0 || split[kInputClasses] < 0) return std::nullopt;
  return split;
}

// `sum` (tokens x prices, at most 2^41 x 2^50) reduced and brought to units. Every step
// stays under 2^112. The one rounding is the last line: the fraction that the divisions by
// `tokens` drop is below one, and half of 10^12 is whole, so it cannot decide the rounding.
std::optional<Money> reduced(Int128 sum, Int128 tokens, Reduction reduction) {
  if (tokens == 0) return Money();
  const Int128 paid = tokens - std::min<Int128>(reduction.grant_tokens, tokens);
  const Int128 rate = kMillion - reduction.discount_ppm;
  const Int128 whole = sum / tokens * paid;
  const Int128 part = sum % tokens * paid;
  const Int128 exact = (whole + part / tokens) * rate + part % tokens * rate / tokens;
  return Money::from_units(base::divide_half_up(exact, Int128{kMillion} * kMillion));
}

bool valid(Reduction reduction) {
  return reduction.grant_tokens >= 0 && reduction.discount_ppm >= 0 &&
         reduction.discount_ppm <= kMillion;
}

int64_t dearest(const PriceTier& tier, size_t begin, size_t end) {
  return std::max_element(tier.prices.begin() + begin, tier.prices.begin() + end)->units();
}

}  // namespace

Result<Money> charge(const PriceTiers& tiers, const llm::Usage& usage, Reduction reduction) {
  const std::optional<Counts> counts = split(usage);
  if (!counts) return not_billable("token counts out of range, or parts above their whole");
  if (!valid(reduction)) return not_billable("a grant or discount out of range");
  const PriceTier* tier = tier_for(tiers, usage.prompt_tokens);
  if (tier == nullptr) return Money();
  Int128 sum = 0;
  for (size_t i = 0; i < kTokenClasses; ++i) {
    sum += Int128{(*counts)[i]} * tier->prices[i].units();
  }
  const auto amount = reduced(sum, usage.total(), reduction);
  if (!amount) return not_billable("the cost is beyond 64 bits");
  return *amount;
}

Money bound(const PriceTiers& tiers, int64_t prompt_tokens, int64_t output_tokens,
            Reduction reduction) {
  constexpr Money kMost = Money::units(std::numeric_limits<int64_t>::max());
  const int64_t prompt = std::max<int64_t>(prompt_tokens, 0);
  const int64_t output = std::max<int64_t>(output_tokens, 0);
  if (!in_range(prompt) || !in_range(output) || !valid(reduction)) return kMost;
  const PriceTier* last = tier_for(tiers, prompt);
  if (last == nullptr) return Money();
  Int128 sum = 0;
  for (const PriceTier* tier = tiers.data(); tier <= last; ++tier) {
    const Int128 most = Int128{prompt} * dearest(*tier, 0, kInputClasses) +
                        Int128{output} * dearest(*tier, kInputClasses, kTokenClasses);
    sum = std::max(sum, most);
  }
  return reduced(sum, Int128{prompt} + output, reduction).value_or(kMost);
}

}  // namespace deeppool::governance
