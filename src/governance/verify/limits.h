// Bounds of a check of the books, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace deeppool::governance::verify {

// Rows in memory at once: enough that a query's start does not show, some 2 MiB.
inline constexpr int64_t kChunkRows = 8192;
// Offenders named per invariant; the rest are counted.
inline constexpr size_t kShownOffenders = 10;
// Price lists kept while usage is checked; platforms have some hundreds in years.
inline constexpr size_t kCachedPrices = 4096;
// Lines of a journal looked up at once.
inline constexpr size_t kJournalBatch = 1024;

}  // namespace deeppool::governance::verify
