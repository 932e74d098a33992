// A Clock whose now() goes on while the machine is suspended, as the clocks of others do: for what
// others may take away meanwhile (leases). Its instants compare with its own only. Stateless, safe
// on every thread; as cheap as SystemClock (both are read without entering the kernel).
#pragma once

#include <time.h>

#include "base/clock.h"

namespace deeppool::base {

class BootClock final : public Clock {
 public:
  Instant now() const override {
    timespec t{};
    ::clock_gettime(CLOCK_BOOTTIME, &t);
    return Instant(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
  }
  WallTime wall() const override { return std::chrono::system_clock::now(); }
};

}  // namespace deeppool::base
