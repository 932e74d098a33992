// SharedLimits: one event loop's part of limits that are shared over Redis: its connections, the
// desk where requests wait, and, on one loop, the heartbeat. Owned by the LoopThread.
#pragma once

#include <memory>

#include "async/blocking_pool.h"
#include "ratelimit/redis/heartbeat.h"
#include "ratelimit/redis/lease_desk.h"

namespace deeppool::platform {

// What the loops share; all of it outlives them.
struct RedisParts {
  RedisParts(redis::Server where, std::shared_ptr<const async::TlsContext> secure,
             const base::Clock& clock, std::string instance)
      : server(std::move(where)), tls(std::move(secure)), fleet(clock, std::move(instance)) {}
  redis::Server server;
  std::shared_ptr<const async::TlsContext> tls;  // null for redis://
  ratelimit::Fleet fleet;
};

class SharedLimits {
 public:
  enum class Duty { requests, requests_and_heartbeat };
  SharedLimits(async::Loop& loop, async::BlockingPool& lookups, RedisParts& redis,
               ratelimit::Limiter& limiter, Duty duty);

  ratelimit::LeaseDesk& desk() { return desk_; }
  // On the loop: begins its duties.
  void start();
  // On the loop, when no request runs any more.
  Task<void> close();

 private:
  const Duty duty_;
  redis::Client client_;
  ratelimit::LeaseDesk desk_;
  ratelimit::Heartbeat heartbeat_;
  async::CancelScope beating_;
  async::TaskGroup tasks_;
};

}  // namespace deeppool::platform
