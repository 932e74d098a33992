// Every bound of this module, with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace deeppool::setup {

// A person waits for it: what takes longer is no upstream to put traffic on.
inline constexpr std::chrono::seconds kStepTimeout{10};
// The longest lists on the market have some 500 models with a few KiB of description each.
inline constexpr size_t kMaxListBytes = 8 * 1024 * 1024;
inline constexpr size_t kMaxAnswerBytes = 1024 * 1024;
inline constexpr size_t kMaxListedModels = 2000;
inline constexpr size_t kMaxQuotedBytes = 300;  // of what an upstream says: a sentence or two
// Of the trial answer. Models that think refuse to stop after one.
inline constexpr int64_t kTrialTokens = 16;

}  // namespace deeppool::setup
