// Bounds of the mock upstream, each with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace deeppool::mock {

// The gateway accepts bodies of this order; above it the mock answers 413 as providers do.
inline constexpr size_t kMaxBodyBytes = 128 * 1024 * 1024;
// A gateway under test may stall for long; nothing that a test waits for takes more.
inline constexpr std::chrono::minutes kPeerTimeout{10};
// Words of an answer when neither the script nor the request says how many.
inline constexpr int64_t kDefaultTokens = 16;
inline constexpr int64_t kMaxDimensions = 8192;  // twice the largest embedding on the market
inline constexpr int64_t kDefaultDimensions = 8;
// Bytes gathered into one write by behaviours that send as fast as the socket takes it.
inline constexpr size_t kFloodBatchBytes = 64 * 1024;
inline constexpr size_t kHugeLineBytes = 8 * 1024 * 1024;  // above most parsers' bounds
inline constexpr size_t kHugeHeaderBytes = 64 * 1024;      // above every parser's bound
inline constexpr int kManyHeaders = 10'000;
inline constexpr int kInformationalAnswers = 1'000;

}  // namespace deeppool::mock
