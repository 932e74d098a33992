// The bounds of this module, each with its reason.
#pragma once

#include <chrono>
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
// What a caller with too many requests in flight is told to wait: a usual answer's time.
inline constexpr std::chrono::milliseconds kInflightRetryAfter{1000};
// A single request cannot count for more (nor a sum of them overflow 64 bits).
inline constexpr int64_t kMaxTokens = 1'000'000'000'000;
// Idle keys looked at per admission of a key that was not known; two, so that reclaiming outruns
// growth.
inline constexpr int kReclaimPerInsert = 2;
// Subjects that AttemptLimiter remembers: 65,536 x 16 B = 1 MiB, whatever an attacker sends.
inline constexpr size_t kAttemptSets = 8192;
inline constexpr size_t kAttemptWays = 8;

// ---- several instances that share limits

// A limit up to this is counted one by one, without chunks: a chunk would be most of it.
inline constexpr int64_t kStrictLimit = 20;
// What an instance holds of a key: an eighth of the limit over all instances, never more than a
// quarter; or, while much is free, half of its part of that. So little lies idle where the limit is
// reached, and who loses Redis early in a key's life has something to go on with.
inline constexpr int64_t kChunksOverAll = 8;
inline constexpr int64_t kLargestChunk = 4;
inline constexpr int64_t kReserveShare = 2;
// A lease is used within this time or returned. Long enough to serve many requests by one call.
inline constexpr std::chrono::milliseconds kLease{4000};
// A strict grant is used at once; this bounds the way back from Redis.
inline constexpr std::chrono::milliseconds kStrictLease{1000};
// More than the time in which the loss of Redis shows, and a heartbeat.
inline constexpr std::chrono::milliseconds kRenewAhead{1400};
// What a request waits for Redis at most.
inline constexpr std::chrono::milliseconds kLeaseWait{20};
inline constexpr std::chrono::milliseconds kHeartbeat{200};
inline constexpr std::chrono::milliseconds kHeartbeatWait{100};
inline constexpr std::chrono::milliseconds kHeartbeatRetry{50};
// Who has not confirmed an answer for this long is on its own, and Redis sets its share aside.
inline constexpr std::chrono::milliseconds kMembership{1000};
// Until everything of before a change has left every window: the ring, and the differences between
// clocks and discoveries.
inline constexpr std::chrono::seconds kSettled{kRingSeconds + 2};
// An instance that has not been seen for this long is no longer counted.
inline constexpr std::chrono::minutes kForgotten{5};
// What may be admitted beyond what is known to be free while nothing is known: a part of the limit.
inline constexpr int64_t kBlindPart = 20;
// A key that is spent over all instances is asked for again after this time at the earliest.
inline constexpr std::chrono::milliseconds kRefusalBelieved{100};
// Keys with something to report, taken up per heartbeat; the rest waits for the next one.
inline constexpr size_t kReportsPerBeat = 2048;
// Corrections that a key keeps for its next report; a ring has no more seconds.
inline constexpr size_t kMaxCorrections = kRingSeconds;

}  // namespace deeppool::ratelimit
