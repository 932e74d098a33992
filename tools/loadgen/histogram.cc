#include "loadgen/histogram.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace deeppool::load {

// Values below kSub have a bucket each; above, the top kSubBits bits after the leading one choose.
size_t Histogram::bucket_of(int64_t ns) {
  const auto v = static_cast<uint64_t>(std::max<int64_t>(ns, 0));
  if (v < kSub) return v;
  const int power = std::bit_width(v) - 1 - kSubBits;
  if (power >= kPowers) return (kPowers + 1) * kSub - 1;
  const uint64_t sub = (v >> power) - kSub;
  return static_cast<size_t>(power + 1) * kSub + sub;
}

int64_t Histogram::upper_bound(size_t bucket) {
  if (bucket < kSub) return static_cast<int64_t>(bucket);
  const size_t power = bucket / kSub - 1;
  const uint64_t sub = bucket % kSub + kSub;
  return static_cast<int64_t>(((sub + 1) << power) - 1);
}

void Histogram::add(int64_t ns) {
  ++buckets_[bucket_of(ns)];
  ++count_;
  sum_ += ns;
  max_ = std::max(max_, ns);
}

int64_t Histogram::quantile(double q) const {
  if (count_ == 0) return 0;
  const auto rank = std::max<int64_t>(1, std::llround(std::ceil(q * static_cast<double>(count_))));
  int64_t seen = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= rank) return std::min(upper_bound(i), max_);
  }
  return max_;
}

std::string Histogram::to_json() const {
  const auto us = [](int64_t ns) { return static_cast<double>(ns) / 1000; };
  return fmt::format(R"({{"count":{},"mean_us":{:.1f},"p50_us":{:.1f},"p90_us":{:.1f},)"
                     R"("p99_us":{:.1f},"p999_us":{:.1f},"max_us":{:.1f}}})",
                     count_, mean() / 1000, us(quantile(0.5)), us(quantile(0.9)),
                     us(quantile(0.99)), us(quantile(0.999)), us(max_));
}

}  // namespace deeppool::load
