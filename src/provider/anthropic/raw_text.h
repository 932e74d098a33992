// Text as it stands between the quotes of a JSON string, escapes as written: it goes from one JSON
// text to another without being decoded. Pure.
#pragma once

#include <string_view>

namespace deeppool::provider::anthropic {

// Nothing but white space, or nothing at all.
bool is_blank(std::string_view raw);
// Without the white space at its end.
std::string_view without_trailing_space(std::string_view raw);

}  // namespace deeppool::provider::anthropic
