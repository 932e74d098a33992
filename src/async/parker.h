// Parker: the one primitive on which a coroutine waits for something that is not a descriptor: a
// slot in a pool, a result from another thread, time itself. One waiter at a time, loop-local.
#pragma once

#include <coroutine>

#include "async/cancel.h"
#include "async/loop.h"
#include "async/task.h"
#include "base/error.h"

namespace deeppool::async {

class Parker {
 public:
  enum class Outcome { woken, timed_out, cancelled };

  explicit Parker(Loop& loop) : loop_(loop), timer_(loop, &Parker::on_timer, this) {}

  // Wakes the waiter, or lets the next park() return at once.
  void wake() { finish(Outcome::woken); }

  struct Awaiter {
    Parker& parker;
    base::Deadline deadline;
    bool await_ready() const { return parker.finished_; }
    void await_suspend(std::coroutine_handle<> handle) const {
      parker.waiter_ = handle;
      if (deadline.at != base::Instant::max()) parker.timer_.set(deadline.at);
    }
    Outcome await_resume() const {
      parker.finished_ = false;
      parker.timer_.clear();
      return parker.outcome_;
    }
  };
  Awaiter park(base::Deadline deadline) { return {*this, deadline}; }

  // For CancelHook: wakes with `cancelled`.
  static void cancel(void* parker) { static_cast<Parker*>(parker)->finish(Outcome::cancelled); }

 private:
  static void on_timer(void* parker) { static_cast<Parker*>(parker)->finish(Outcome::timed_out); }
  void finish(Outcome outcome) {
    if (finished_) return;
    finished_ = true;
    outcome_ = outcome;
    if (waiter_) loop_.resume_soon(std::exchange(waiter_, nullptr));
  }

  Loop& loop_;
  Timer timer_;
  std::coroutine_handle<> waiter_;
  Outcome outcome_ = Outcome::woken;
  bool finished_ = false;
};

// Returns false if `scope` was cancelled before the time came.
Task<bool> sleep_for(base::Duration duration, CancelScope& scope);

}  // namespace deeppool::async
