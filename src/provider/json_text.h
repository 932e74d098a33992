// JSON values as the pieces of text that they are, for translations that read a validated house
// request and write another dialect. A `JsonText` view points into a text with json::kPadding
// readable bytes behind it, and is one whole valid value. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "json/reader.h"

namespace deeppool::provider {

using JsonText = std::string_view;

json::Kind kind_of(JsonText value);
inline bool is_string(JsonText value) {
  return !value.empty() && value.front() == '"';
}
inline bool is_object(JsonText value) {
  return !value.empty() && value.front() == '{';
}
inline bool is_array(JsonText value) {
  return !value.empty() && value.front() == '[';
}
inline bool is_null(JsonText value) {
  return value == "null";
}
// Of a string: what stands between its quotes, escapes as written.
inline std::string_view raw_of(JsonText string) {
  return string.substr(1, string.size() - 2);
}
// Of a string; empty for every other value.
std::string decoded(JsonText value);
// The member of an object; empty if there is none (or it is no object).
JsonText member(JsonText object, std::string_view name);
// Consumes the next value of `reader`.
JsonText take(json::Reader& reader);

// The arguments of a tool call, which are JSON text in a string, as an object: nothing said is {},
// what is not an object becomes {"arguments":"..."}. `value`: the string.
std::string argument_object(JsonText value);
// The JSON object that a text is; empty if it is none.
std::string object_in(std::string_view text);

}  // namespace deeppool::provider
