// BlockingPool: a few threads for work that blocks (SQL, bcrypt, files, name lookup). Bounded: a
// full queue refuses at once. A waiter whose deadline passes goes on with `timeout`; the job itself
// cannot be interrupted and its late result is dropped. Jobs own what they use (they may outlive
// the waiter).
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "async/parker.h"
#include "base/error.h"

namespace deeppool::async {

class BlockingPool {
 public:
  // `name` appears in errors and the log, and is its threads'. `queue_limit`: jobs waiting for a
  // thread.
  BlockingPool(std::string name, size_t threads, size_t queue_limit);
  ~BlockingPool();  // waits for the running jobs; queued ones are run, too
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  // Runs `job` (returns a Result<T>) on a thread of the pool and its value here, on the caller's
  // loop. Errors: the job's own, `unavailable` when the queue is full, `timeout`.
  template <class Job>
  Task<std::invoke_result_t<Job>> run(Job job, base::Deadline deadline) {
    using Outcome = std::invoke_result_t<Job>;
    Loop& loop = Loop::current();
    auto call = std::make_shared<Call<Outcome>>(loop);
    const bool queued = enqueue([call, work = std::move(job), &loop]() mutable {
      call->result.emplace(work());
      // Handed over whole: the call, with its timer, must die on the loop.
      loop.post([done = std::move(call)] { done->parker.wake(); });
    });
    if (!queued) co_return overloaded();
    const Parker::Outcome outcome = co_await call->parker.park(deadline);
    if (outcome != Parker::Outcome::woken) co_return timed_out();
    co_return std::move(*call->result);
  }

  // Runs `job`; nobody waits for it. False when the queue is full. Any thread.
  bool enqueue(std::function<void()> job);

 private:
  template <class Outcome>
  struct Call {
    explicit Call(Loop& l) : parker(l) {}
    std::optional<Outcome> result;
    Parker parker;
  };
  Error overloaded() const;
  Error timed_out() const;
  void work();

  const std::string name_;
  const size_t queue_limit_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace deeppool::async
