// Labeled: the series of one family on one loop, one Cell per set of label values. The loop finds
// or adds; any thread walks what is there. Append-only, so a found Cell stays valid for good and
// may be kept. Bounded: past kMaxSeries every new set of values is counted under "other".
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "metrics/limits.h"

namespace deeppool::metrics {

template <size_t N>
using LabelViews = std::array<std::string_view, N>;
template <size_t N>
using LabelValues = std::array<std::string, N>;

template <class Cell, size_t N>
class Labeled {
 public:
  struct Series {
    LabelValues<N> labels;
    Cell cell;
  };

  Labeled() : slots_(std::make_unique<std::array<std::atomic<const Series*>, kMaxSeries + 1>>()) {}
  Labeled(const Labeled&) = delete;
  Labeled& operator=(const Labeled&) = delete;

  // The owning loop only.
  Cell& with(const LabelViews<N>& labels) {
    // Most requests are counted where the one before was: a comparison is cheaper than the hashes.
    if (last_ != nullptr && last_->first == labels) return last_->second->cell;
    const auto found = index_.find(labels);
    if (found == index_.end()) return add(labels);
    last_ = &*found;
    return last_->second->cell;
  }

  // Any thread.
  template <class F>
  void each(F&& visit) const {
    const size_t n = count_.load(std::memory_order_acquire);
    for (size_t i = 0; i < n; ++i) visit(*(*slots_)[i].load(std::memory_order_relaxed));
  }

 private:
  struct Hash {
    size_t operator()(const LabelViews<N>& labels) const {
      size_t h = 0;
      for (const std::string_view l : labels) h = h * 31 + std::hash<std::string_view>{}(l);
      return h;
    }
  };

  Cell& add(LabelViews<N> labels) {
    const size_t n = count_.load(std::memory_order_relaxed);
    bool cut = false;
    for (std::string_view& label : labels) {
      cut = cut || label.size() > kMaxLabelBytes;
      label = label.substr(0, kMaxLabelBytes);
    }
    if (n >= kMaxSeries) {
      labels.fill("other");
      cut = true;
    }
    if (cut) {
      const auto found = index_.find(labels);
      if (found != index_.end()) return found->second->cell;
    }
    auto series = std::make_unique<Series>();
    for (size_t i = 0; i < N; ++i) series->labels[i] = labels[i];
    LabelViews<N> key;
    for (size_t i = 0; i < N; ++i) key[i] = series->labels[i];
    Series* added = series.get();
    owned_.push_back(std::move(series));
    index_.emplace(key, added);
    (*slots_)[n].store(added, std::memory_order_relaxed);
    count_.store(n + 1, std::memory_order_release);
    return added->cell;
  }

  std::unordered_map<LabelViews<N>, Series*, Hash> index_;
  const std::pair<const LabelViews<N>, Series*>* last_ = nullptr;  // that was found in it
  std::vector<std::unique_ptr<Series>> owned_;
  // What other threads see: never reallocated. One more than kMaxSeries, for "other".
  std::unique_ptr<std::array<std::atomic<const Series*>, kMaxSeries + 1>> slots_;
  std::atomic<size_t> count_{0};
};

}  // namespace deeppool::metrics
