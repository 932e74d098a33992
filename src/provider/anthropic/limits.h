// Bounds of the Anthropic dialect, each with its reason.
#pragma once

#include <cstddef>

namespace deeppool::provider::anthropic {

// A thought is kept until its signature has come, so that it can be given back whole. Longer than
// the most that a model thinks (128,000 tokens); beyond it the caller gets the text alone.
inline constexpr size_t kMaxKeptThoughtBytes = size_t{1} << 20;
// Blocks of one answer that are begun and not ended. They come one by one.
inline constexpr size_t kMaxOpenBlocks = 16;

}  // namespace deeppool::provider::anthropic
