#include "governance/pricing/price_tiers.h"

#include <algorithm>

#include "base/text.h"
#include "crypto/hash.h"
#include "governance/limits.h"
#include "json/padded.h"
#include "json/reader.h"

namespace deeppool::governance {
namespace {

using base::Money;
using json::Kind;

constexpr std::array<std::string_view, kTokenClasses> kFields = {
    "input_price",       "cached_price", "cache_write_price",  "image_input_price",
    "audio_input_price", "output_price", "image_output_price", "audio_output_price"};
constexpr std::string_view kLimitField = "max_input_tokens";
// What a cached token costs of an uncached one where the tier does not say.
constexpr int64_t kCachedShare = 5;

size_t index(TokenClass which) {
  return static_cast<size_t>(which);
}

void derive_rest(PriceTier& tier) {
  const auto settle = [&](TokenClass which, Money price) {
    if (!tier.states(which)) tier.prices[index(which)] = price;
  };
  const Money input = tier.price(TokenClass::input);
  const Money output = tier.price(TokenClass::output);
  const auto cached = base::divide_half_up(input.units(), kCachedShare);
  settle(TokenClass::cached, Money::units(static_cast<int64_t>(cached)));
  for (const auto which :
       {TokenClass::cache_write, TokenClass::image_input, TokenClass::audio_input}) {
    settle(which, input);
  }
  settle(TokenClass::image_output, output);
  settle(TokenClass::audio_output, output);
}

// A walk over one list; the first fault is kept with the field's place.
class TiersWalk {
 public:
  TiersWalk(std::string_view json, std::string_view name) : reader_(json), name_(name) {}

  Result<PriceTiers> run() {
    if (reader_.peek() != Kind::array) return bad(name_, "a list of price tiers ([]: free)");
    for (json::Elements tiers(reader_); tiers.next();) {
      place_ = name_ + "[" + std::to_string(tiers.index()) + "]";
      if (tiers_.size() == kMaxPriceTiers) {
        return bad(name_, "a list of at most " + std::to_string(kMaxPriceTiers) + " tiers");
      }
      DP_CHECK(take_tier());
    }
    if (!reader_.finish()) return bad(name_, "valid JSON");
    return std::move(tiers_);
  }

 private:
  static Error bad(const std::string& field, const std::string& wanted) {
    return Error::invalid(field, "`" + field + "` must be " + wanted + ".");
  }
  std::string at(std::string_view field) const { return place_ + "." + std::string(field); }

  Result<void> take_tier() {
    if (reader_.peek() != Kind::object) return bad(place_, "an object with prices");
    PriceTier tier;
    bool limited = false;
    for (json::Members members(reader_); members.next();) {
      const std::string_view key = members.key();
      if (key == kLimitField) {
        if (limited) return given_twice(key);
        limited = true;
        DP_CHECK(take_limit(tier));
        continue;
      }
      const auto found = std::ranges::find(kFields, key);
      if (found == kFields.end()) {
        return Error::invalid(place_, "`" + place_ + "` has a field that price tiers do not have.");
      }
      const auto which = static_cast<TokenClass>(found - kFields.begin());
      if (tier.states(which)) return given_twice(*found);
      tier.stated |= static_cast<uint8_t>(1U << index(which));
      DP_TRY(tier.prices[index(which)], take_price(*found));
    }
    if (!reader_.ok()) return bad(name_, "valid JSON");
    return add(tier);
  }

  Error given_twice(std::string_view field) const {
    return Error::invalid(at(field), "`" + at(field) + "` is given twice.");
  }

  Result<void> take_limit(PriceTier& tier) {
    const Kind kind = reader_.peek();
    const std::string_view text = reader_.text(reader_.skip());
    const auto limit = kind == Kind::number ? base::parse_int<int64_t>(text) : std::nullopt;
    if (!limit || *limit < 0 || *limit > kMaxRequestTokens) {
      return bad(at(kLimitField),
                 "an integer from 0 (no limit) to " + std::to_string(kMaxRequestTokens));
    }
    tier.max_input_tokens = *limit;
    return {};
  }

  Result<Money> take_price(std::string_view field) {
    std::optional<Money> price;
    std::string scratch;
    if (reader_.peek() == Kind::number) {
      price = Money::parse(reader_.text(reader_.read_number()));
    } else if (reader_.peek() == Kind::string) {
      price = Money::parse(reader_.decode(reader_.read_string(), scratch));
    }
    if (!price || price->units() < 0 || price->units() > kMaxPriceUnits) {
      return bad(at(field), "yuan per million tokens, from 0 to " +
                                Money::units(kMaxPriceUnits).to_string() +
                                " with at most 10 decimals");
    }
    return *price;
  }

  Result<void> add(PriceTier& tier) {
    for (const auto which : {TokenClass::input, TokenClass::output}) {
      if (!tier.states(which)) {
        return Error::invalid(at(price_field(which)),
                              "`" + at(price_field(which)) + "` is required.");
      }
    }
    if (!tiers_.empty()) {
      const int64_t before = tiers_.back().max_input_tokens;
      const int64_t limit = tier.max_input_tokens;
      if (before == 0 || (limit != 0 && limit <= before)) {
        return bad(at(kLimitField),
                   "above that of the tier before it; only the last tier may have "
                   "no limit (0)");
      }
    }
    derive_rest(tier);
    tiers_.push_back(tier);
    return {};
  }

  json::Reader reader_;
  std::string name_;
  std::string place_;  // of the tier being read
  PriceTiers tiers_;
};

}  // namespace

std::string_view price_field(TokenClass which) {
  return kFields[index(which)];
}

Result<PriceTiers> read_price_tiers(std::string_view json, std::string_view name) {
  if (json.size() > kMaxPriceTextBytes) {
    return Error::invalid(std::string(name), "`" + std::string(name) + "` is too long.");
  }
  const json::PaddedBytes padded(json);
  return TiersWalk(padded.view(), name).run();
}

std::string price_tiers_json(const PriceTiers& tiers, PriceSpelling spelling) {
  std::string out = "[";
  for (const PriceTier& tier : tiers) {
    out += out.size() > 1 ? ",{" : "{";
    out += "\"max_input_tokens\":";
    base::append_int(out, tier.max_input_tokens);
    for (size_t i = 0; i < kTokenClasses; ++i) {
      const auto which = static_cast<TokenClass>(i);
      if (spelling == PriceSpelling::stated && !tier.states(which)) continue;
      out.append(",\"").append(kFields[i]).append("\":\"");
      out.append(tier.price(which).to_string()).append("\"");
    }
    out += '}';
  }
  return out += ']';
}

const PriceTier* tier_for(const PriceTiers& tiers, int64_t prompt_tokens) {
  for (const PriceTier& tier : tiers) {
    if (tier.max_input_tokens == 0 || prompt_tokens <= tier.max_input_tokens) return &tier;
  }
  return tiers.empty() ? nullptr : &tiers.back();
}

base::PriceId price_id(const PriceTiers& tiers) {
  const crypto::Digest digest = crypto::sha256(price_tiers_json(tiers, PriceSpelling::complete));
  int64_t id = 0;
  for (size_t i = 0; i < 7; ++i) id = id << 8 | digest[i];
  return base::PriceId{std::max<int64_t>(id >> 3, 1)};
}

PriceRange range_of(std::span<const PriceTiers* const> lists) {
  static const PriceTiers kFree(1);
  PriceRange range;
  range.min.fill(Money::units(kMaxPriceUnits));
  for (const PriceTiers* list : lists) {
    for (const PriceTier& tier : list->empty() ? kFree : *list) {
      for (size_t i = 0; i < kTokenClasses; ++i) {
        range.min[i] = std::min(range.min[i], tier.prices[i]);
        range.max[i] = std::max(range.max[i], tier.prices[i]);
      }
    }
  }
  for (size_t i = 0; i < kTokenClasses; ++i) range.min[i] = std::min(range.min[i], range.max[i]);
  return range;
}

Price read_price(std::string_view stored) {
  Price price;
  if (stored.empty() || stored == "null") return price;
  Result<PriceTiers> tiers = read_price_tiers(stored, "pricing_tiers");
  if (!tiers) {
    price.state = Price::State::unreadable;
    price.fault = std::move(tiers).error().message;
    return price;
  }
  price.state = Price::State::known;
  price.tiers = std::move(*tiers);
  price.snapshot = price_id(price.tiers);
  price.costs_nothing = std::ranges::all_of(price.tiers, [](const PriceTier& tier) {
    return std::ranges::all_of(tier.prices, [](Money amount) { return amount == Money(); });
  });
  return price;
}

}  // namespace deeppool::governance
