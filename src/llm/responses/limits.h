// Bounds of the Responses codec, each with its reason.
#pragma once

#include <cstddef>

namespace deeppool::llm::responses {

// What every response object repeats of its request (instructions, tools) stays in memory while the
// answer streams, and is sent three times: beyond this, instructions are null and tools an empty
// list. Clients have what they sent.
inline constexpr size_t kMaxRepeatedBytes = 32 * 1024;

}  // namespace deeppool::llm::responses
