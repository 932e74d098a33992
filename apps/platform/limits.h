// Bounds of what the programs read at start, each with its reason.
#pragma once

#include <chrono>
#include <cstddef>

namespace deeppool::platform {

// The longest sample with every key and comment has 6 KiB.
inline constexpr size_t kMaxConfigBytes = 256 * 1024;
// Sections nest three deep (admin.super_admin.username); lists of sections of later versions, four.
inline constexpr size_t kMaxConfigDepth = 8;
inline constexpr size_t kMaxConfigEntries = 2000;
// Enough to mend a file in one go, few enough to read.
inline constexpr size_t kMaxConfigProblems = 20;
// How much of a wrong value an error repeats.
inline constexpr size_t kMaxShownValue = 60;

// A password manager's shortest; anything less can be guessed over the network.
inline constexpr size_t kMinMetricsToken = 16;

// Parts that may report readiness; there are about ten.
inline constexpr size_t kMaxReadinessChecks = 64;
// A scrape takes some milliseconds; Prometheus itself gives up after 10 s.
inline constexpr std::chrono::seconds kScrapeTimeout{5};

// For the last message to Redis.
inline constexpr std::chrono::seconds kLimitsGrace{1};

}  // namespace deeppool::platform
