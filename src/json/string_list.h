// Lists of names as JSON text, the form in which tables keep them. Pure functions, not for the hot
// path.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace deeppool::json {

// `["a","b"]`; internal when the text is anything but a list of strings (we wrote it ourselves).
Result<std::vector<std::string>> parse_string_list(std::string_view text);
std::string write_string_list(std::span<const std::string> list);

}  // namespace deeppool::json
