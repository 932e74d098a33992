#include "ratelimit/redis/lease_desk.h"

#include <algorithm>

#include "ratelimit/redis/scripts.h"

namespace deeppool::ratelimit {
namespace {

// Lets everybody else who is ready go first.
struct Yield {
  async::Loop& loop;
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> self) const { loop.resume_soon(self); }
  void await_resume() const {}
};

}  // namespace

Task<Sent> send_order(const RedisSide& side, base::ApiKeyId key, LeaseOrder order,
                      base::Duration limit) {
  std::optional<int64_t> test_ms;
  if (side.test_clock != nullptr) test_ms = base::unix_ms(side.test_clock->wall());
  const Command command = lease_command(key, order, side.fleet.instance(), test_ms);
  const std::vector<std::string_view> words(command.begin(), command.end());
  side.fleet.counters.leases.fetch_add(1, std::memory_order_relaxed);
  Result<redis::Reply> reply = co_await side.client.call(words, limit);
  std::optional<LeaseAnswer> answer;
  if (reply) answer = read_lease_answer(*reply);
  side.limiter.close_order(key, order, answer ? &*answer : nullptr);
  if (!answer) side.fleet.counters.failures.fetch_add(1, std::memory_order_relaxed);
  co_return answer ? Sent::answered : Sent::failed;
}

Task<Result<Permit>> LeaseDesk::admit(base::ApiKeyId key, Limits limits, int64_t estimated_tokens,
                                      async::CancelScope& scope) {
  const base::Deadline deadline{std::chrono::steady_clock::now() + kLeaseWait};
  while (true) {
    std::optional<Result<Permit>> decided = side_.limiter.try_admit(key, limits, estimated_tokens);
    if (decided) co_return std::move(*decided);
    Waiter waiter(loop_, limits.tpm > 0 ? std::max<int64_t>(estimated_tokens, 0) : 0);
    const async::CancelHook hook(scope, &async::Parker::cancel, &waiter.parker);
    enqueue(key, limits, waiter);
    const async::Parker::Outcome outcome = co_await waiter.parker.park(deadline);
    if (outcome != async::Parker::Outcome::woken) forget(key, waiter);
    if (outcome == async::Parker::Outcome::cancelled) {
      co_return Error(ErrorCode::cancelled, "The request was cancelled.");
    }
    if (outcome == async::Parker::Outcome::timed_out || waiter.outcome == Sent::failed) {
      side_.fleet.counters.uncovered.fetch_add(1, std::memory_order_relaxed);
      co_return Limiter::uncovered();
    }
  }
}

void LeaseDesk::enqueue(base::ApiKeyId key, Limits limits, Waiter& waiter) {
  const auto [queue, first] = queues_.try_emplace(key);
  queue->second.limits = limits;
  queue->second.waiters.push_back(&waiter);
  if (first) tasks_.spawn(serve(key));
}

void LeaseDesk::forget(base::ApiKeyId key, Waiter& waiter) {
  const auto found = queues_.find(key);
  if (found != queues_.end()) std::erase(found->second.waiters, &waiter);
}

// Calls for the key until nobody waits.
Task<void> LeaseDesk::serve(base::ApiKeyId key) {
  while (true) {
    co_await Yield{loop_};  // who comes in the same turn goes with this call
    const auto found = queues_.find(key);
    const std::vector<Waiter*>& waiting = found->second.waiters;
    if (waiting.empty()) {
      queues_.erase(found);
      co_return;
    }
    Limiter::Wanted wanted;
    wanted.requests = static_cast<int64_t>(waiting.size());
    wanted.least_tokens = kMaxTokens;
    for (const Waiter* one : waiting) {
      wanted.tokens += one->tokens;
      wanted.least_tokens = std::min(wanted.least_tokens, one->tokens);
    }
    LeaseOrder order = side_.limiter.open_order(key, found->second.limits, wanted);
    const Sent outcome = co_await send_order(side_, key, std::move(order), kLeaseWait);
    wake(key, outcome);
  }
}

// All of them: who came during the call may be covered as well.
void LeaseDesk::wake(base::ApiKeyId key, Sent outcome) {
  for (Waiter* one : std::exchange(queues_[key].waiters, {})) {
    one->outcome = outcome;
    one->parker.wake();
  }
}

Task<void> LeaseDesk::close() {
  const base::Deadline deadline{std::chrono::steady_clock::now() + 2 * kLeaseWait};
  [[maybe_unused]] const bool quiet = co_await tasks_.join(deadline);
}

}  // namespace deeppool::ratelimit
