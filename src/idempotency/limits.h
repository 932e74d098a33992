// Bounds of kept answers, each with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace deeppool::idempotency {

// What a caller may send as Idempotency-Key: printable ASCII, as long as other APIs allow.
inline constexpr size_t kMaxNameBytes = 255;
inline constexpr std::chrono::hours kKept{24};
// Of one answer. A chat answer has 2 to 20 KB, a streamed one ten times that; what is larger
// (embedding batches) is not kept.
inline constexpr size_t kMaxAnswerBytes = 1024 * 1024;
// Of one API key, so that nobody fills the database. An answer beyond it is not kept.
inline constexpr int64_t kMaxBytesPerKey = 64 * 1024 * 1024;
inline constexpr int64_t kMaxNamesPerKey = 10'000;
// In memory, over all running requests of this program; beyond it answers are not kept.
inline constexpr int64_t kMaxCapturedBytes = 128 * 1024 * 1024;
// A claim that is not renewed for this long is taken for dead, its program for killed.
inline constexpr std::chrono::seconds kClaimLease{30};
inline constexpr std::chrono::seconds kRenewal{10};
// What a request waits for the database.
inline constexpr std::chrono::seconds kStoreWait{5};
// An end that the database did not take is said again this often, this long; a longer outage leaves
// it to the usage row.
inline constexpr std::chrono::seconds kCloseRetry{1};
inline constexpr int kCloseTries = 600;
// The hint for who asks again while the first request runs.
inline constexpr std::chrono::seconds kRunningRetry{1};
// Rows deleted at once, so that no lock is held long; and how often it is looked.
inline constexpr int64_t kSweptAtOnce = 500;
inline constexpr std::chrono::minutes kSweepInterval{10};

}  // namespace deeppool::idempotency
