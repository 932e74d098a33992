// Ids of tool calls in Anthropic's alphabet (letters, digits, '_' and '-'). Pure.
#pragma once

#include <string>
#include <string_view>

namespace deeppool::provider::anthropic {

// An id that Anthropic takes stays as it is. Any other (Kimi's "functions.search:0") is spelled out
// so that no two ids ever become the same and the original can be read back: "dp_", then each byte
// as it is or as '_' and two hex digits.
std::string to_tool_id(std::string_view house_id);

}  // namespace deeppool::provider::anthropic
