// Heartbeat: keeps this instance in the fleet and tells Redis what keys have used. One per program,
// on one event loop.
#pragma once

#include "ratelimit/redis/lease_desk.h"

namespace deeppool::ratelimit {

class Heartbeat {
 public:
  explicit Heartbeat(RedisSide side) : side_(side) {}

  // Until `scope` is cancelled; then leaves the fleet.
  Task<void> run(async::CancelScope& scope);
  // One round, for tests: the message (two, to be taken in) and all reports that are due.
  Task<Sent> beat();
  Task<void> leave();

 private:
  Task<Sent> exchange(Beat beat);
  Task<void> report();

  RedisSide side_;
};

}  // namespace deeppool::ratelimit
