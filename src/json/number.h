// What the spelling of a JSON number means, without loss where the receiver needs an integer.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace deeppool::json {

// The number's value if it is a whole number that fits: "12", "1.2e1" and "12.0" alike (some
// languages write every number with a fraction). Nothing for 1.5, 1e300 or -1e30.
std::optional<int64_t> to_integer(std::string_view number);
// Nothing if it is beyond the range of double.
std::optional<double> to_double(std::string_view number);

}  // namespace deeppool::json
