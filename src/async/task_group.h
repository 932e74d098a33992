// TaskGroup: the only way to start a coroutine that nobody awaits at once. It counts what runs, and
// join() waits for all of it, so that nothing outlives what it uses. Loop-local. An exception that
// escapes a spawned task is a bug: logged, the program goes on.
#pragma once

#include <utility>

#include "async/parker.h"
#include "async/task.h"

namespace deeppool::async {

class TaskGroup {
 public:
  explicit TaskGroup(Loop& loop) : idle_(loop) {}
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts it at once, on this loop.
  void spawn(Task<void> task) { start(run(*this, std::move(task))); }
  // A callable that returns a Task (a lambda coroutine, captures by value); kept alive until it is
  // done.
  template <class F>
    requires requires(F f) {
      { f() } -> std::same_as<Task<void>>;
    }
  void spawn(F callable) {
    start(call(*this, std::move(callable)));
  }

  size_t size() const { return running_; }
  // Waits until nothing runs any more, or the deadline: false then.
  Task<bool> join(base::Deadline deadline);

 private:
  // A coroutine without an owner: destroys itself at its end.
  struct Root {
    struct promise_type {
      Root get_return_object() {
        return {std::coroutine_handle<promise_type>::from_promise(*this)};
      }
      std::suspend_always initial_suspend() const noexcept { return {}; }
      std::suspend_never final_suspend() const noexcept { return {}; }
      void return_void() {}
      void unhandled_exception() { std::terminate(); }
      static void* operator new(size_t size) { return base::pool_allocate(size); }
      static void operator delete(void* frame, size_t size) { base::pool_release(frame, size); }
    };
    std::coroutine_handle<promise_type> handle;
  };
  static Root run(TaskGroup& group, Task<void> task);
  template <class F>
  static Root call(TaskGroup& group, F callable) {
    try {
      co_await callable();
    } catch (...) {
      report_escaped();
    }
    group.done();
  }
  static void report_escaped();
  void start(Root root) {
    ++running_;
    root.handle.resume();
  }
  void done() {
    if (--running_ == 0) idle_.wake();
  }

  size_t running_ = 0;
  Parker idle_;
};

}  // namespace deeppool::async
