#include "provider/anthropic/raw_text.h"

#include <array>

namespace deeppool::provider::anthropic {
namespace {

constexpr std::array<std::string_view, 9> kSpaces = {" ",   "\\n",     "\\t",     "\\r",    "\\f",
                                                     "\\b", "\\u0020", "\\u000a", "\\u000A"};

// Whether the backslash behind `raw` begins an escape, and is not the end of one.
bool begins_escape(std::string_view raw) {
  const size_t other = raw.find_last_not_of('\\');
  const size_t backslashes = raw.size() - (other == std::string_view::npos ? 0 : other + 1);
  return backslashes % 2 == 0;
}

// How long the white space at the end of `raw` is, one character of it; 0: there is none.
size_t last_space(std::string_view raw) {
  for (const std::string_view space : kSpaces) {
    if (!raw.ends_with(space)) continue;
    if (space[0] == ' ' || begins_escape(raw.substr(0, raw.size() - space.size()))) {
      return space.size();
    }
  }
  return 0;
}

size_t first_space(std::string_view raw) {
  for (const std::string_view space : kSpaces) {
    if (raw.starts_with(space)) return space.size();
  }
  return 0;
}

}  // namespace

bool is_blank(std::string_view raw) {
  while (const size_t space = first_space(raw)) raw.remove_prefix(space);
  return raw.empty();
}

std::string_view without_trailing_space(std::string_view raw) {
  while (const size_t space = last_space(raw)) raw.remove_suffix(space);
  return raw;
}

}  // namespace deeppool::provider::anthropic
