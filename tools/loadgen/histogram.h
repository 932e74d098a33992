// Histogram: durations in nanoseconds in log-linear buckets (128 per power of two, so at most 0.8 %
// off), fixed memory, exact count, sum, least and greatest. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace deeppool::load {

class Histogram {
 public:
  void add(int64_t ns);
  int64_t count() const { return count_; }
  // The upper bound of the bucket that holds the quantile `q` in [0, 1]; 0 when empty.
  int64_t quantile(double q) const;
  double mean() const {
    return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
  }
  int64_t max() const { return max_; }
  // {"count":..,"mean_us":..,"p50_us":..,"p90_us":..,"p99_us":..,"p999_us":..,"max_us":..}
  std::string to_json() const;

 private:
  static constexpr int kSubBits = 7;
  static constexpr int kSub = 1 << kSubBits;
  static constexpr int kPowers = 40;  // up to 2^47 ns, 39 hours
  static size_t bucket_of(int64_t ns);
  static int64_t upper_bound(size_t bucket);

  std::array<int64_t, (kPowers + 1) * kSub> buckets_{};
  int64_t count_ = 0;
  int64_t sum_ = 0;
  int64_t max_ = 0;
};

}  // namespace deeppool::load
