// The size of the simulated world: small, so that its requests meet.
#pragma once

#include <cstddef>
#include <cstdint>

namespace deeppool::simulation {

inline constexpr int64_t kUsers = 6;
inline constexpr int64_t kKeys = 10;
inline constexpr size_t kModels = 5;
inline constexpr size_t kMostInstances = 3;
inline constexpr int kLoops = 2;         // of an instance, each with its own spool segments
inline constexpr size_t kInFlight = 40;  // requests at once, all instances together

// A request is some 500 tokens and some 0.02 yuan; these last for tens of them.
inline constexpr int64_t kMostQuota = 60'000;           // tokens
inline constexpr int64_t kMostGranted = 30'000;         // tokens
inline constexpr int64_t kMostTopup = 40'000'000'000;   // units: 4 yuan
inline constexpr int64_t kDearest = 1'000'000'000'000;  // units per million tokens: 100 yuan

}  // namespace deeppool::simulation
