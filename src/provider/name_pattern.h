// Names of models against patterns, as the tables of this module are keyed. Pure.
#pragma once

#include <string_view>

namespace deeppool::provider {

// `pattern` is lower case; '*' in it stands for any text. Case does not count in `name`.
bool fits_pattern(std::string_view pattern, std::string_view name);

}  // namespace deeppool::provider
