// Bounds of the metrics, each with its reason.
#pragma once

#include <cstddef>

namespace deeppool::metrics {

// Label sets of one family and loop. Beyond it values become "other": a scrape stays below about
// 2 MB, and nobody can fill our memory with made-up names.
inline constexpr size_t kMaxSeries = 256;
inline constexpr size_t kMaxLabelBytes = 128;  // longer values are cut; names of models are shorter

}  // namespace deeppool::metrics
