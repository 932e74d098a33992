// LeaseDesk: where requests of one event loop wait for Redis when what this instance holds of their
// key does not cover them. All who wait for one key share one call, and nobody waits longer than
// kLeaseWait. Loop-local.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "async/parker.h"
#include "async/task_group.h"
#include "ratelimit/limiter.h"
#include "redis/client.h"

namespace deeppool::ratelimit {

struct RedisSide {
  Limiter& limiter;
  Fleet& fleet;
  redis::Client& client;
  const base::Clock* test_clock = nullptr;  // the time that Redis shall believe in; null: its own
};

// Sends an order and gives its outcome to the limiter. Whether a useful answer came.
enum class Sent { answered, failed };
Task<Sent> send_order(const RedisSide& side, base::ApiKeyId key, LeaseOrder order,
                      base::Duration limit);

class LeaseDesk {
 public:
  LeaseDesk(async::Loop& loop, RedisSide side) : loop_(loop), side_(side), tasks_(loop) {}
  LeaseDesk(const LeaseDesk&) = delete;
  LeaseDesk& operator=(const LeaseDesk&) = delete;

  // As Limiter::admit; `scope` is the request's. Errors as there, and rate_limited when Redis does
  // not answer in time, cancelled.
  Task<Result<Permit>> admit(base::ApiKeyId key, Limits limits, int64_t estimated_tokens,
                             async::CancelScope& scope);
  // When no request runs any more.
  Task<void> close();

 private:
  struct Waiter {
    Waiter(async::Loop& loop, int64_t needed) : parker(loop), tokens(needed) {}
    async::Parker parker;
    int64_t tokens;
    Sent outcome = Sent::answered;
  };
  struct Queue {
    Limits limits;
    std::vector<Waiter*> waiters;
  };
  void enqueue(base::ApiKeyId key, Limits limits, Waiter& waiter);
  void forget(base::ApiKeyId key, Waiter& waiter);
  Task<void> serve(base::ApiKeyId key);
  void wake(base::ApiKeyId key, Sent outcome);

  async::Loop& loop_;
  RedisSide side_;
  async::TaskGroup tasks_;
  std::unordered_map<base::ApiKeyId, Queue> queues_;  // one task each
};

}  // namespace deeppool::ratelimit
