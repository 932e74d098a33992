// Every bound of this module, with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace deeppool::identity {

inline constexpr size_t kMaxUsernameBytes = 32;  // fits a console column; the table takes 64
inline constexpr size_t kMinUsernameBytes = 2;
inline constexpr size_t kMinPasswordBytes = 8;  // NIST SP 800-63B; at most 72: bcrypt reads no more
inline constexpr size_t kMaxPhoneBytes = 32;    // E.164 has 15 digits; room for separators
inline constexpr size_t kMaxEmailBytes = 254;   // RFC 5321, 4.5.3.1
inline constexpr size_t kMaxKeyNameBytes = 64;
// A leaked console session must not be able to fill the snapshot that every instance holds.
inline constexpr int64_t kMaxKeysPerUser = 100;
inline constexpr size_t kMaxAllowedModels = 200;             // longer lists mean "all"
inline constexpr size_t kMaxModelNameBytes = 191;            // the model table's column
inline constexpr int64_t kMaxRatePerMinute = 1'000'000'000;  // beyond any use; sums stay in 64 bits
inline constexpr int64_t kMaxInflight = 1'000'000;           // beyond any use
inline constexpr int64_t kMaxQuotaTokens = 1'000'000'000'000'000;

inline constexpr std::chrono::milliseconds kSessionLifetime = std::chrono::days(7);
// How exact last_seen is; more often would make every read of the console a write.
inline constexpr std::chrono::milliseconds kLastSeenStep = std::chrono::minutes(1);
inline constexpr int64_t kMaxSessionsPerUser = 50;  // the oldest ends when a new one begins
inline constexpr size_t kMaxUserAgentBytes = 256;   // the table's column

// One bcrypt takes about 180 ms: two threads leave the other cores to the event loops, and the
// queue is what they work off within 6 s, the patience of somebody who logs in.
inline constexpr size_t kBcryptThreads = 2;
inline constexpr size_t kBcryptQueue = 64;

}  // namespace deeppool::identity
