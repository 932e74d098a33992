// ShareBudget: so many extras (retries, hedges) for so many requests. Each request earns a share of
// one extra, extras are spent whole, and a small stock covers a sudden need. Shared by all loops,
// lock-free; while the stock is full, earning writes nothing.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace deeppool::provider {

class ShareBudget {
 public:
  // `percent`: extras per hundred requests, 0..100; `stock`: extras that may be saved up, and are
  // there at the start.
  ShareBudget(int64_t percent, int64_t stock)
      : earned_(percent), full_(stock * kWhole), left_(full_) {}

  void earn() {
    int64_t left = left_.load(std::memory_order_relaxed);
    while (left < full_) {
      const int64_t more = std::min(full_, left + earned_);
      if (left_.compare_exchange_weak(left, more, std::memory_order_relaxed)) return;
    }
  }
  // False: there is none left.
  [[nodiscard]] bool spend() {
    int64_t left = left_.load(std::memory_order_relaxed);
    while (left >= kWhole) {
      if (left_.compare_exchange_weak(left, left - kWhole, std::memory_order_relaxed)) return true;
    }
    return false;
  }
  // What was not needed after all.
  void give_back() { left_.fetch_add(kWhole, std::memory_order_relaxed); }
  int64_t percent() const { return earned_; }
  int64_t left() const { return left_.load(std::memory_order_relaxed) / kWhole; }

 private:
  static constexpr int64_t kWhole = 100;
  const int64_t earned_;
  const int64_t full_;
  std::atomic<int64_t> left_;
};

}  // namespace deeppool::provider
