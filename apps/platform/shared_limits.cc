#include "apps/platform/shared_limits.h"

#include "apps/platform/limits.h"

namespace deeppool::platform {

SharedLimits::SharedLimits(async::Loop& loop, async::BlockingPool& lookups, RedisParts& redis,
                           ratelimit::Limiter& limiter, Duty duty)
    : duty_(duty),
      client_(loop, lookups, redis.server, redis.tls),
      desk_(loop, {limiter, redis.fleet, client_}),
      heartbeat_({limiter, redis.fleet, client_}),
      tasks_(loop) {}

void SharedLimits::start() {
  if (duty_ == Duty::requests_and_heartbeat) tasks_.spawn(heartbeat_.run(beating_));
}

Task<void> SharedLimits::close() {
  beating_.cancel(async::CancelReason::shutting_down);
  const base::Deadline deadline{std::chrono::steady_clock::now() + kLimitsGrace};
  [[maybe_unused]] const bool quiet = co_await tasks_.join(deadline);
  co_await desk_.close();
  co_await client_.close();
}

}  // namespace deeppool::platform
