// The bounds of this module, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace deeppool::ratelimit {

// The contract: limits hold in every trailing 60 s.
inline constexpr uint32_t kWindowSeconds = 60;
// An event somewhere inside its second is forgotten when the window that starts at that second's
// END is over: 60 whole seconds and the running one. That makes the ring conservative.
inline constexpr uint32_t kRingSeconds = kWindowSeconds + 1;
// Keys are spread over this many locks: 64 loops collide on one in a few thousand admissions.
inline constexpr size_t kShards = 256;
// A single request cannot count for more (nor a sum of them overflow 64 bits).
inline constexpr int64_t kMaxTokens = 1'000'000'000'000;
// Idle keys looked at per admission of a key that was not known; two, so that reclaiming outruns
// growth.
inline constexpr int kReclaimPerInsert = 2;
// Subjects that AttemptLimiter remembers: 65,536 x 16 B = 1 MiB, whatever an attacker sends.
inline constexpr size_t kAttemptSets = 8192;
inline constexpr size_t kAttemptWays = 8;

}  // namespace deeppool::ratelimit
