// A model's price list: what a million tokens of each class cost, by the length of the prompt.
// Plain values, read once when a model is saved or loaded and shared by all threads. Invariants
// (kept by read_price_tiers): at most kMaxPriceTiers tiers with rising max_input_tokens, "no limit"
// only in the last; every price is from 0 to kMaxPriceUnits. An empty list is free; no list at all
// is no price, which is never taken for free.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/money.h"

namespace deeppool::governance {

// Every token of a request is in exactly one of them. Those of the prompt come first.
enum class TokenClass : uint8_t {
  input,  // the prompt without the four below
  cached,
  cache_write,
  image_input,
  audio_input,
  output,  // the answer without the two below; reasoning is output
  image_output,
  audio_output,
};
inline constexpr size_t kTokenClasses = 8;
inline constexpr size_t kInputClasses = 5;

// The field of a tier that holds its price: "input_price", "cached_price" ...
std::string_view price_field(TokenClass which);

struct PriceTier {
  int64_t max_input_tokens = 0;  // for prompts up to this; 0: no limit
  // Yuan per million tokens. What was not stated is derived: cached is a fifth of input (rounded
  // half up to 10^-10 yuan), the other prompt classes cost what input does, those of the answer
  // what output does.
  std::array<base::Money, kTokenClasses> prices{};
  uint8_t stated = 0;  // a bit per class: given, not derived

  base::Money price(TokenClass which) const { return prices[static_cast<size_t>(which)]; }
  bool states(TokenClass which) const { return (stated >> static_cast<unsigned>(which) & 1) != 0; }
  friend bool operator==(const PriceTier&, const PriceTier&) = default;
};
using PriceTiers = std::vector<PriceTier>;

// From JSON: [{"max_input_tokens":128000,"input_price":"0.8","output_price":2},...]. Prices are
// numbers or decimal text, taken digit by digit. invalid_request names the field under `name`:
// "pricing_tiers[1].input_price".
Result<PriceTiers> read_price_tiers(std::string_view json, std::string_view name);

// One spelling per list, prices as decimal text.
enum class PriceSpelling : uint8_t {
  stated,    // only what was given, as administrators see and edit it
  complete,  // every price, so that the text alone says what was charged
};
std::string price_tiers_json(const PriceTiers& tiers, PriceSpelling spelling);

// The list's id for good: 53 bits (what JSON numbers keep) of the SHA-256 of its complete spelling,
// never 0.
base::PriceId price_id(const PriceTiers& tiers);

// The tier for a prompt of this length; null if the list is empty. The last one also serves longer
// prompts than it names.
const PriceTier* tier_for(const PriceTiers& tiers, int64_t prompt_tokens);

// What a stored model says about its price.
struct Price {
  enum class State : uint8_t {
    unpriced,    // nothing was ever said
    unreadable,  // what is stored is no price list
    known,
  };
  State state = State::unpriced;
  PriceTiers tiers;        // empty unless known
  base::PriceId snapshot;  // price_id(tiers) if known
  std::string fault;       // why it is unreadable
  bool costs_nothing = false;

  // Whether requests may be charged by it. If not, they are refused.
  bool known() const { return state == State::known; }
  // Known to cost nothing: an empty list, or only zeros in it.
  bool free() const { return costs_nothing; }
};
// The cheapest and the dearest price of each class over the tiers of one model, or of all children
// of a hybrid (none given, or an empty list: 0).
struct PriceRange {
  std::array<base::Money, kTokenClasses> min{};
  std::array<base::Money, kTokenClasses> max{};
};
PriceRange range_of(std::span<const PriceTiers* const> lists);

// Of the text in the column: a price list, "null" or nothing. Never fails: it says so in `state`.
Price read_price(std::string_view stored);

}  // namespace deeppool::governance
