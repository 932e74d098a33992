// Bounds of the Redis client, each with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace deeppool::redis {

// Our scripts answer with some 30 numbers; whatever is larger is not for us.
inline constexpr size_t kMaxReplyBytes = 256 * 1024;
inline constexpr int64_t kMaxReplyItems = 4096;  // of one array
inline constexpr size_t kMaxReplyDepth = 4;
inline constexpr size_t kMaxReplyLine = 1024;  // the longest error text that Redis writes has 300
// Per event loop. An exchange takes 0.2 ms: eight serve 40,000 a second.
inline constexpr size_t kMaxConnections = 8;
// Name, TCP, TLS, AUTH and SELECT together; callers do not wait for it, they have bounds of their
// own.
inline constexpr std::chrono::milliseconds kDialTimeout{1000};
// After a failure nobody tries for this long; doubled with each further one.
inline constexpr std::chrono::milliseconds kFirstBackoff{50};
inline constexpr std::chrono::milliseconds kLongestBackoff{1000};
inline constexpr int kBackoffDoublings = 5;

}  // namespace deeppool::redis
