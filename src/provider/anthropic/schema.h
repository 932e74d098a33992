// A JSON schema as Anthropic's structured outputs take it. Pure.
#pragma once

#include <string>
#include <string_view>

namespace deeppool::provider::anthropic {

// Objects are closed (additionalProperties: false), and bounds on numbers, lengths and counts,
// which make Anthropic refuse the request, are left out; the rest stays byte for byte. `schema` is
// a valid JSON object with json::kPadding readable bytes behind it.
std::string closed_schema(std::string_view schema);

}  // namespace deeppool::provider::anthropic
