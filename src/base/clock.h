// Time as the domain sees it. Domain code takes a Clock&, never calls the system itself, so that it
// runs under testing::FakeClock and in the simulator. System clocks are stateless and safe on every
// thread.
#pragma once

#include <chrono>
#include <cstdint>

namespace deeppool::base {

using Duration = std::chrono::nanoseconds;
// Monotonic: for deadlines, windows and measured times. Never goes back.
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;
// Wall clock, UTC: for rows and answers. May jump.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  virtual WallTime wall() const = 0;
};

class SystemClock final : public Clock {
 public:
  Instant now() const override { return std::chrono::steady_clock::now(); }
  WallTime wall() const override { return std::chrono::system_clock::now(); }
};

// Milliseconds since 1970-01-01 UTC, the form in which every table stores time.
inline int64_t unix_ms(WallTime t) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(t.time_since_epoch()).count();
}
inline int64_t unix_seconds(WallTime t) {
  return unix_ms(t) / 1000;
}

// The instant by which something must be over. Nothing is awaited without one.
struct Deadline {
  Instant at = Instant::max();
  static Deadline after(const Clock& clock, Duration d) { return {clock.now() + d}; }
  bool passed(const Clock& clock) const { return clock.now() >= at; }
};

}  // namespace deeppool::base
