#include "json/number.h"

#include <charconv>
#include <cmath>

namespace deeppool::json {

namespace {

// Plain digits that cannot overflow, as counts are; -1 for anything else.
int64_t short_count(std::string_view number) {
  constexpr size_t kSafeDigits = 18;
  if (number.empty() || number.size() > kSafeDigits) return -1;
  int64_t value = 0;
  for (const char c : number) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

std::optional<int64_t> to_integer(std::string_view number) {
  if (const int64_t count = short_count(number); count >= 0) return count;
  int64_t value = 0;
  const char* end = number.data() + number.size();
  const auto [stop, ec] = std::from_chars(number.data(), end, value);
  if (ec == std::errc{} && stop == end && !number.empty()) return value;
  if (number.find_first_of(".eE") == std::string_view::npos) return std::nullopt;
  const std::optional<double> real = to_double(number);
  constexpr double kExact = 9007199254740992.0;  // 2^53: beyond it doubles skip integers
  if (!real || std::abs(*real) > kExact || std::trunc(*real) != *real) return std::nullopt;
  return static_cast<int64_t>(*real);
}

std::optional<double> to_double(std::string_view number) {
  double value = 0;
  const char* end = number.data() + number.size();
  const auto [stop, ec] = std::from_chars(number.data(), end, value);
  if (stop != end || number.empty()) return std::nullopt;
  // Out of range means too large or too small; the latter is as good as zero.
  if (ec == std::errc::result_out_of_range) {
    const bool tiny =
        number.find("e-") != std::string_view::npos || number.find("E-") != std::string_view::npos;
    if (!tiny) return std::nullopt;
    return 0.0;
  }
  if (ec != std::errc{}) return std::nullopt;
  return value;
}

}  // namespace deeppool::json
