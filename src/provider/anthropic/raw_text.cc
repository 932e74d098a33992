#include "provider/anthropic/raw_text.h"

#include <array>

namespace deeppool::provider::anthropic {
namespace {

constexpr std::array<std::string_view, 9> kSpaces = {" ",   "\\n",     "\\t",     "\\r",    "\\f",
                                                     "\\b", "\\u0020", "\\u000a", "\\u000A"};

// How long the white space at the start of `raw` is; 0: there is none.
size_t space_at(std::string_view raw) {
  for (const std::string_view space : kSpaces) {
    if (raw.starts_with(space)) return space.size();
  }
  return 0;
}

// How long the character at the start of `raw` is, as it is written (of UTF-8, a byte).
size_t unit_at(std::string_view raw) {
  if (raw[0] != '\\') return 1;
  return raw.size() > 5 && raw[1] == 'u' ? 6 : 2;
}

}  // namespace

bool is_blank(std::string_view raw) {
  return without_trailing_space(raw).empty();
}

std::string_view without_trailing_space(std::string_view raw) {
  const auto may_be_space = [](char c) {
    return c == ' ' || c == 'n' || c == 't' || c == 'r' || c == 'f' || c == 'b' || c == '0' ||
           c == 'a' || c == 'A';
  };
  if (raw.empty() || !may_be_space(raw.back())) return raw;
  // Whether a backslash escapes or is escaped shows only from the front.
  size_t end = 0;
  for (size_t at = 0; at < raw.size();) {
    const size_t space = space_at(raw.substr(at));
    at += space != 0 ? space : unit_at(raw.substr(at));
    if (space == 0) end = at;
  }
  return raw.substr(0, end);
}

}  // namespace deeppool::provider::anthropic
