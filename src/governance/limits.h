// Bounds of token accounting and of the applier, each with its reason. The spool has its own
// (spool/limits.h).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace deeppool::governance {

// One request cannot use or hold more: keeps every sum of a process's life inside 64 bits.
inline constexpr int64_t kMaxRequestTokens = 1'000'000'000'000;
// No quota is larger; so used + held + one request never overflows.
inline constexpr int64_t kMaxQuotaTokens = 4'000'000'000'000'000'000;
// Grants that one request may use at once: four nearly spent ones are a rare pile already, and the
// final record has room for as many. The next request uses the next ones.
inline constexpr size_t kMaxGrantParts = 4;
// Final records per database transaction: a commit's cost is spread, and a repeated one stays
// short (some 5 ms of SQLite's only writer).
inline constexpr size_t kApplyBatch = 1024;
// How often the applier looks for new records: usage pages are at most this much behind, and a
// busy gateway's batches are worth their commit.
inline constexpr std::chrono::milliseconds kApplyInterval{100};
// Pauses while the store is down; doubled from the first to the last.
inline constexpr std::chrono::milliseconds kFirstRetry{100};
inline constexpr std::chrono::milliseconds kLastRetry{5000};
// The dearest price, in units of 10^-10 yuan per million tokens (100,000 yuan): a request at the
// bound of llm::kMaxTokens on both sides still fits into Money.
inline constexpr int64_t kMaxPriceUnits = 1'000'000'000'000'000;
// Tiers of a price list. Providers have up to four.
inline constexpr size_t kMaxPriceTiers = 16;
// Bytes of a price list as JSON: 16 tiers of some 400 bytes.
inline constexpr size_t kMaxPriceTextBytes = 16384;
// Rows that one look reads for an export: some 300 KB of text, and few looks for a whole year.
inline constexpr int64_t kMaxExportPage = 1000;
// Requests that one page of them looks through for a model or an outcome, which have no index: a
// rare one makes short pages, never a slow one (8 ms of SQLite, whose rows of one user lie apart).
inline constexpr int64_t kMaxRequestsLookedThrough = 5'000;

}  // namespace deeppool::governance
