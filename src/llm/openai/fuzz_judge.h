// Another JSON parser as the judge of rewritten texts, for fuzz targets and property tests.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "json/limits.h"

namespace deeppool::llm {

inline boost::json::value judge(std::string_view text, boost::system::error_code& ec) {
  boost::json::parse_options options;
  options.max_depth = json::kMaxDepth + 2;
  return boost::json::parse(text, ec, {}, options);
}

// Nothing if it is not JSON.
inline std::optional<boost::json::value> judge(std::string_view text) {
  boost::system::error_code ec;
  boost::json::value value = judge(text, ec);
  if (ec) return std::nullopt;
  return value;
}

// The judge refuses escapes of lone surrogates and exponents beyond 32 bits, which the grammar
// allows and we pass on: it cannot speak of such a text.
inline bool beyond_the_judge(std::string_view text) {
  boost::system::error_code ec;
  judge(text, ec);
  return ec && (ec == boost::json::error::exponent_overflow ||
                text.find("\\u") != std::string_view::npos);
}

}  // namespace deeppool::llm
