// A Clock that stands still until a test moves it. Safe on every thread.
#pragma once

#include <atomic>

#include "base/clock.h"

namespace deeppool::testing {

class FakeClock final : public base::Clock {
 public:
  explicit FakeClock(base::WallTime wall = base::WallTime(std::chrono::seconds(1'800'000'000)))
      : wall_ns_(wall.time_since_epoch().count()) {}

  base::Instant now() const override {
    return base::Instant(base::Duration(now_ns_.load(std::memory_order_relaxed)));
  }
  base::WallTime wall() const override {
    return base::WallTime(base::Duration(wall_ns_.load(std::memory_order_relaxed)));
  }

  // Time passes: both clocks move.
  void advance(base::Duration d) {
    now_ns_ += d.count();
    wall_ns_ += d.count();
  }
  // Somebody sets the wall clock: the monotonic one does not notice.
  void set_wall(base::WallTime wall) { wall_ns_ = wall.time_since_epoch().count(); }

 private:
  std::atomic<int64_t> now_ns_{1'000'000'000'000};
  std::atomic<int64_t> wall_ns_;
};

}  // namespace deeppool::testing
