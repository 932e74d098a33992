// Every bound of this module, with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace deeppool::portalapi {

inline constexpr size_t kMaxCustomNameBytes = 32;           // the contract's
inline constexpr int64_t kMaxCustomModels = 10;             // the contract's, of each kind
inline constexpr int64_t kMaxCustomTokens = 1'000'000'000;  // 100 times the longest context known
inline constexpr size_t kMaxUsersKeyBytes = 4096;           // tokens of some clouds have 2 KiB
// A request to explain may hold a long context; no pictures are needed to see where it would go.
inline constexpr size_t kMaxExplainedBody = 4 * 1024 * 1024;

}  // namespace deeppool::portalapi
