// "Did you mean ...?" for a mistyped configuration key. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace deeppool::platform {

// How many letters must be added, dropped, changed or swapped with a neighbour to get from `a` to
// `b`; anything above `limit` comes back as limit + 1.
size_t edit_distance(std::string_view a, std::string_view b, size_t limit);

// The known key that `path` was probably meant to be: a near miss of the whole path, or the right
// name in the wrong section.
std::optional<std::string> nearest_key(std::string_view path);

}  // namespace deeppool::platform
