// Writer of the Prometheus text format, version 0.0.4.
// https://prometheus.io/docs/instrumenting/exposition_formats/
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "metrics/cells.h"

namespace deeppool::metrics {

using Label = std::pair<std::string_view, std::string_view>;  // name, value

// Sums of one histogram over all loops.
struct HistogramTotals {
  std::array<uint64_t, kBounds + 1> buckets{};
  uint64_t sum_ns = 0;
  void add(const Histogram& h);
};

class Exposition {
 public:
  enum class Type { counter, gauge, histogram };
  // Opens a family; its samples follow. Names are ours and valid.
  void family(std::string_view name, Type type, std::string_view help);
  void sample(std::span<const Label> labels, double value);
  void sample(std::span<const Label> labels, uint64_t value);
  void histogram(std::span<const Label> labels, const Bounds& bounds,
                 const HistogramTotals& totals);

  std::string take() { return std::move(out_); }

 private:
  void line(std::string_view suffix, std::span<const Label> labels, std::string_view less_equal,
            std::string_view value);
  std::string out_;
  std::string name_;
};

}  // namespace deeppool::metrics
