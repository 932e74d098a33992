// Bounds of the JSON reader, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace deeppool::json {

// Deeper than any request of the known APIs (tool schemas reach about 20); bounds recursion and
// stack.
inline constexpr int kMaxDepth = 64;
// Offsets are 32 bits wide. Body limits of the HTTP layer are far below this.
inline constexpr size_t kMaxTextBytes = size_t{1} << 31;

}  // namespace deeppool::json
