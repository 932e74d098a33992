// The value of X-DeepPool-Dropped-Params: the names of parameters that an endpoint was not told.
// They are the caller's own words, so what is written is safe as a header and short, whatever the
// request called its fields.
#pragma once

#include <string>
#include <vector>

namespace deeppool::gateway {

// Names with commas between them, at most kMaxDroppedNames of at most kMaxDroppedNameBytes each;
// "..." in place of the rest. Empty if `names` is.
std::string dropped_params(const std::vector<std::string>& names);

}  // namespace deeppool::gateway
