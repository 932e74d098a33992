// Every bound of this module, with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/money.h"

namespace deeppool::adminapi {

inline constexpr size_t kMaxNameBytes = 128;           // the tables' columns
inline constexpr size_t kMaxUpstreamModelBytes = 255;  // likewise
inline constexpr size_t kMaxApiVersionBytes = 64;      // likewise
inline constexpr size_t kMaxModelNameBytes = 191;      // likewise
inline constexpr size_t kMaxUpstreamKeyBytes = 4096;   // tokens of some clouds have 2 KiB
// Shorter keys are masked whole: seven shown characters would give too much of them away.
inline constexpr size_t kShortestKeyShownInPart = 20;
inline constexpr int64_t kMaxWeight = 1000;         // finer shares do not show in traffic
inline constexpr int64_t kMaxPriority = 1000;       // ranks, not measures
inline constexpr int64_t kMaxInflight = 1'000'000;  // beyond what one process can hold open
// Longer than any wait for a first token; a hedge that late is a retry.
inline constexpr int64_t kMaxHedgeAfterMs = 60'000;
// A second ask for every second request: more is no hedge, it is a doubled bill.
inline constexpr int64_t kMaxHedgePercent = 50;
inline constexpr size_t kMaxEndpointsPerModel =
    64;  // each is tried in turn before a caller waits out
inline constexpr size_t kMaxImportedModels = 100;  // at once: one transaction, one look by a person
inline constexpr size_t kMaxTags = 20;             // what a list in a console can show
inline constexpr size_t kMaxTagBytes = 32;
inline constexpr size_t kMaxScaleBytes = 32;               // "671B-A37B"; the table's column
inline constexpr int64_t kMaxModelTokens = 1'000'000'000;  // 100 times the longest context known
// One adjustment, one overdraft (100 million yuan): a tenth of what a wallet can hold.
inline constexpr base::Money kMaxMovement = base::Money::units(1'000'000'000'000'000'000);
// Until all instances have given recalled leases back: half a second until they hear of it, a
// quarter until they do it, and as much again when the database is slow.
inline constexpr std::chrono::milliseconds kRecallWait{2000};
inline constexpr std::chrono::milliseconds kRecallPoll{50};
inline constexpr size_t kMaxReferenceBytes = 64;  // more than any UUID
inline constexpr size_t kMaxRemarkBytes = 255;    // the tables' columns

}  // namespace deeppool::adminapi
