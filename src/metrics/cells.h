// The cells that are counted in. Each belongs to one loop, which alone writes it (add, observe: a
// plain load and store, no locked instruction); any thread may read. The *_shared forms are for
// cells that several threads write. No lock, no allocation; values only grow.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace deeppool::metrics {

class Counter {
 public:
  void add(uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void add_shared(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class Gauge {
 public:
  void add(int64_t n) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

inline constexpr size_t kBounds = 16;
// Upper bounds of a histogram's buckets in nanoseconds, ascending; one more bucket takes the rest.
using Bounds = std::array<int64_t, kBounds>;

// Whole requests and waits for a first token: 5 ms to 10 minutes.
inline constexpr Bounds kRequestBounds = {
    5'000'000,      10'000'000,     25'000'000,      50'000'000,     100'000'000,    250'000'000,
    500'000'000,    1'000'000'000,  2'500'000'000,   5'000'000'000,  10'000'000'000, 20'000'000'000,
    40'000'000'000, 80'000'000'000, 160'000'000'000, 600'000'000'000};
// Our own share, and a database call: 20 us to 5 s.
inline constexpr Bounds kShortBounds = {20'000,      50'000,      100'000,       200'000,
                                        400'000,     800'000,     1'500'000,     3'000'000,
                                        6'000'000,   12'000'000,  25'000'000,    50'000'000,
                                        100'000'000, 500'000'000, 1'000'000'000, 5'000'000'000};

class Histogram {
 public:
  explicit Histogram(const Bounds& bounds) : bounds_(bounds) {}

  void observe(base::Duration d) {
    buckets_[bucket(d.count())].add();
    sum_ns_.add(static_cast<uint64_t>(d.count() > 0 ? d.count() : 0));
  }
  void observe_shared(base::Duration d) {
    buckets_[bucket(d.count())].add_shared();
    sum_ns_.add_shared(static_cast<uint64_t>(d.count() > 0 ? d.count() : 0));
  }

  const Bounds& bounds() const { return bounds_; }
  uint64_t in_bucket(size_t i) const { return buckets_[i].value(); }
  uint64_t sum_ns() const { return sum_ns_.value(); }

 private:
  size_t bucket(int64_t ns) const {
    size_t i = 0;
    while (i < kBounds && ns > bounds_[i]) ++i;
    return i;
  }

  const Bounds& bounds_;
  std::array<Counter, kBounds + 1> buckets_;
  Counter sum_ns_;
};

}  // namespace deeppool::metrics
