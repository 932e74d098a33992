// TurnClock: the system's time, read twice per turn on the thread of a loop, however many requests
// ask for it (each of them does a dozen times); on any other thread it is read at every call.
// Stateless. Not for who must be exact to the millisecond, as limits over trailing windows are.
#pragma once

#include "async/loop.h"
#include "base/clock.h"

namespace deeppool::async {

class TurnClock final : public base::Clock {
 public:
  base::Instant now() const override {
    const Loop* loop = Loop::running();
    return loop != nullptr ? loop->now() : std::chrono::steady_clock::now();
  }
  base::WallTime wall() const override {
    const Loop* loop = Loop::running();
    return loop != nullptr ? loop->wall() : std::chrono::system_clock::now();
  }
};

}  // namespace deeppool::async
