#include "base/money.h"

#include "base/text.h"

namespace deeppool::base {
namespace {

constexpr int kMaxDigits = 19;  // of an int64

struct Decimal {
  bool negative = false;
  Int128 digits = 0;
  int exponent = 0;  // of ten
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes one digit into the number; zeros at the end wait, so that "1.000000000000" fits. False when
// there are more digits than any amount has.
bool take_digit(Decimal& number, int& zeros, char digit) {
  if (digit == '0') {
    ++zeros;
    return true;
  }
  if (zeros > kMaxDigits && number.digits != 0) return false;
  if (number.digits != 0) {
    for (; zeros > 0; --zeros) number.digits *= 10;
  }
  zeros = 0;
  number.digits = number.digits * 10 + (digit - '0');
  return number.digits <= Int128{1} << 64;
}

// Digits, a point, more digits; `text` keeps what follows. A number has at least one digit.
bool read_digits(std::string_view& text, Decimal& number) {
  int zeros = 0;
  int seen = 0;
  bool point = false;
  size_t at = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '.' && !point && seen > 0) {
      point = true;
      continue;
    }
    if (!is_digit(c)) break;
    if (!take_digit(number, zeros, c)) return false;
    ++seen;
    if (point) --number.exponent;
  }
  const bool ends_in_digit = at > 0 && is_digit(text[at - 1]);
  text.remove_prefix(at);
  if (number.digits != 0) number.exponent += zeros;
  return seen > 0 && ends_in_digit;
}

std::optional<Decimal> read_decimal(std::string_view text) {
  Decimal number;
  if (!text.empty() && text.front() == '-') {
    number.negative = true;
    text.remove_prefix(1);
  }
  if (!read_digits(text, number)) return std::nullopt;
  if (text.empty()) return number;
  if (text.front() != 'e' && text.front() != 'E') return std::nullopt;
  text.remove_prefix(1);
  if (!text.empty() && text.front() == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text.front() == '-') return std::nullopt;
  }
  const auto exponent = parse_int<int>(text);
  if (!exponent || *exponent > 1000 || *exponent < -1000) return std::nullopt;
  number.exponent += *exponent;
  return number;
}

}  // namespace

std::optional<Money> Money::parse(std::string_view text) {
  const std::optional<Decimal> number = read_decimal(text);
  if (!number) return std::nullopt;
  if (number->digits == 0) return Money();
  int shift = number->exponent + kDecimals;
  Int128 n = number->digits;
  for (; shift > 0; --shift) {
    n *= 10;
    if (n > Int128{1} << 64) return std::nullopt;
  }
  for (; shift < 0; ++shift) {
    if (n % 10 != 0) return std::nullopt;
    n /= 10;
  }
  return from_units(number->negative ? -n : n);
}

std::string_view Money::write(Buffer& buffer) const {
  const auto bits = static_cast<uint64_t>(units_);
  const uint64_t magnitude = units_ < 0 ? 0 - bits : bits;
  uint64_t decimals = magnitude % kUnitsPerYuan;
  // From the back: the decimals that count, the point, the whole yuan, the sign.
  char* const end = buffer.data() + buffer.size();
  char* begin = end;
  if (decimals != 0) {
    int places = kDecimals;
    for (; decimals % 10 == 0; decimals /= 10) --places;
    for (; places > 0; --places, decimals /= 10) *--begin = static_cast<char>('0' + decimals % 10);
    *--begin = '.';
  }
  uint64_t yuan = magnitude / kUnitsPerYuan;
  do {
    *--begin = static_cast<char>('0' + yuan % 10);
    yuan /= 10;
  } while (yuan != 0);
  if (units_ < 0) *--begin = '-';
  return {begin, static_cast<size_t>(end - begin)};
}

std::string Money::to_string() const {
  Buffer buffer;
  return std::string(write(buffer));
}

}  // namespace deeppool::base
