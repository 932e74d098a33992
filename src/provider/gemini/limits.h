// Bounds of the Gemini dialect, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace deeppool::provider::gemini {

// Of a schema with its references inlined; bounds recursion. Deeper parts say nothing.
inline constexpr int kMaxSchemaDepth = 64;
// Of one tool's schema as it is sent: references that branch would double it with every level; the
// largest of known agents take some 20 KB.
inline constexpr size_t kMaxSchemaBytes = size_t{512} << 10;
// The API's own bound for stopSequences.
inline constexpr int kMaxStopSequences = 5;

// What a stream's events have in common is kept up to here; they have some 300 bytes.
inline constexpr size_t kMaxMouldBytes = 2048;
// Of one answer; the house's own bound for `n`.
inline constexpr int64_t kMaxCandidates = 128;
// Of a response's id, inside ours: OpenAI takes tool call ids of up to 40 bytes.
inline constexpr size_t kMaxIdBytes = 24;
// No model writes or reads more; keeps sums far from overflow.
inline constexpr int64_t kMostTokens = int64_t{1} << 31;

}  // namespace deeppool::provider::gemini
