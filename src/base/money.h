// Money: an exact amount in yuan, counted in units of 10^-10 yuan (the tenth decimal). Plain value.
// Invariant: nothing between JSON and ledger is a floating point number; sums and products that do
// not fit are refused, never wrapped.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace deeppool::base {

// For sums and products of many amounts, before the one rounding.
using Int128 = __int128;

class Money {
 public:
  static constexpr int64_t kUnitsPerYuan = 10'000'000'000;
  static constexpr int kDecimals = 10;

  constexpr Money() = default;
  static constexpr Money units(int64_t n) { return Money(n); }
  // Nothing if the sum of units is beyond 64 bits (about 922 million yuan).
  static constexpr std::optional<Money> from_units(Int128 n) {
    if (n > std::numeric_limits<int64_t>::max() || n < std::numeric_limits<int64_t>::min()) {
      return std::nullopt;
    }
    return Money(static_cast<int64_t>(n));
  }
  // A decimal number as JSON and SQL write it: "12", "-0.5", "1e-3". Nothing if it is no number,
  // has a digit other than 0 beyond the tenth decimal, or does not fit.
  static std::optional<Money> parse(std::string_view text);

  constexpr int64_t units() const { return units_; }
  // Without an exponent and without trailing zeros: "12", "-0.5", "0.0000000001".
  std::string to_string() const;
  // The same without allocation; the text is in `buffer`.
  using Buffer = std::array<char, 24>;
  std::string_view write(Buffer& buffer) const;

  constexpr Money operator-() const { return Money(-units_); }
  friend constexpr auto operator<=>(Money, Money) = default;
  // Nothing on overflow.
  friend constexpr std::optional<Money> checked_add(Money a, Money b) {
    return from_units(Int128{a.units_} + b.units_);
  }

 private:
  constexpr explicit Money(int64_t n) : units_(n) {}
  int64_t units_ = 0;
};

// numerator / denominator, rounded half up (away from zero at exactly one half). denominator > 0.
constexpr Int128 divide_half_up(Int128 numerator, Int128 denominator) {
  const Int128 magnitude = numerator < 0 ? -numerator : numerator;
  const Int128 rounded = magnitude / denominator +
                         (magnitude % denominator >= denominator - magnitude % denominator ? 1 : 0);
  return numerator < 0 ? -rounded : rounded;
}

}  // namespace deeppool::base
