// Loop: one event loop, one thread, one epoll. Everything that a connection owns lives on its loop
// and is touched by that thread only; post() is the one door from outside. Readiness is
// edge-triggered and each descriptor is registered once, so that a request costs no epoll_ctl.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <vector>

#include "base/clock.h"

struct epoll_event;

namespace deeppool::async {

class Loop;

// Something with a descriptor. on_ready runs on the loop; it may destroy the Watch.
class Watch {
 public:
  virtual ~Watch() = default;
  // `events`: EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR.
  virtual void on_ready(uint32_t events) = 0;
  // The call that Loop::call_at_turn_end() promised.
  virtual void on_turn_end() {}
};

// Watches that wait for a call. One may be forgotten while the calls are made, and more may come.
class CallList {
 public:
  void add(Watch& watch) { waiting_.push_back(&watch); }
  void forget(Watch& watch);
  bool empty() const { return waiting_.empty(); }
  // Calls all that wait now; those who come meanwhile wait for the next time.
  template <class Call>
  void run(Call&& call) {
    calling_.swap(waiting_);
    for (size_t i = 0; i < calling_.size(); ++i) {
      if (calling_[i] != nullptr) call(*calling_[i]);
    }
    calling_.clear();
  }

 private:
  std::vector<Watch*> waiting_;
  std::vector<Watch*> calling_;  // null: forgotten meanwhile
};

// Calls `fire` once at or after its deadline, unless moved or cleared. Moving a deadline later, the
// usual case of an idle timeout, costs one store: the timer is put back in order only when its old
// time comes. Belongs to one loop; must be destroyed on it.
class Timer {
 public:
  using Fire = void (*)(void* context);
  Timer(Loop& loop, Fire fire, void* context) : loop_(loop), fire_(fire), context_(context) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer();

  void set(base::Instant at);
  void clear() { at_ = base::Instant::max(); }
  bool armed() const { return at_ != base::Instant::max(); }

 private:
  friend class TimerHeap;
  Loop& loop_;
  Fire fire_;
  void* context_;
  base::Instant at_ = base::Instant::max();      // when it is wanted
  base::Instant queued_ = base::Instant::max();  // its place in the heap
  size_t index_ = kNotQueued;
  static constexpr size_t kNotQueued = ~size_t{0};
};

// A binary heap of timers by their queued time.
class TimerHeap {
 public:
  void place(Timer& timer);  // queues it, or moves it up to timer.at_
  void remove(Timer& timer);
  void fire_due(base::Instant now);
  base::Instant next() const { return heap_.empty() ? base::Instant::max() : heap_[0]->queued_; }

 private:
  void sift_up(size_t i);
  void sift_down(size_t i);
  void swap_at(size_t a, size_t b);
  std::vector<Timer*> heap_;
};

class Loop {
 public:
  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  // The loop of this thread; only inside run().
  static Loop& current() { return *running(); }
  // Null outside of run().
  static Loop* running();

  // Runs until stop(). What is still suspended then stays suspended: join your TaskGroups before.
  void run();
  void stop();                          // any thread
  void post(std::function<void()> fn);  // any thread; runs in order, on the loop
  // This thread: resumes after the current callback, in order. The way to wake a coroutine without
  // running it inside the waker.
  void resume_soon(std::coroutine_handle<> handle) { ready_.push_back(handle); }

  // The time when this turn began or, at its end, when what it has to say was ready to leave: free
  // to read, and as near to the truth as a caller who waits for a whole turn's work can tell.
  base::Instant now() const { return now_; }
  base::WallTime wall() const { return wall_; }

  // One buffer for all reads of this loop. Its bytes are yours until your next co_await. 64
  // readable bytes follow it (JSON parsers read past the end).
  std::span<char> scratch() { return {scratch_.data(), kScratchSize}; }

  void watch(int fd, Watch& watch);   // all events, edge-triggered
  void forget(int fd, Watch& watch);  // before close; pending events of this turn are dropped
  // Calls watch.on_ready(0) once in the next turn: for who would go on but has had its share of
  // this one.
  void call_again(Watch& watch) { again_.add(watch); }
  // Calls watch.on_turn_end() when all that was ready in this turn has been served. Everything that
  // is sent goes out there: peers that are woken find all of a turn's work at once, and what must
  // be on disk before any of it leaves is written once for all (before_turn_end).
  void call_at_turn_end(Watch& watch) { turn_end_.add(watch); }
  // `hook` runs before the calls at a turn's end, and again before those that come up meanwhile.
  // Set before run().
  void before_turn_end(std::function<void()> hook) { before_turn_end_ = std::move(hook); }
  uint64_t turn() const { return turn_; }  // grows by one with each
  TimerHeap& timers() { return timers_; }

  static constexpr size_t kScratchSize =
      64 * 1024;  // a socket buffer's worth; larger gains nothing

 private:
  void read_clocks();
  void run_ready();
  void run_posted();
  void run_again();
  void end_turn();
  int wait_ms() const;

  int epoll_fd_;
  int wake_fd_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> wake_pending_{false};
  base::Instant now_;
  base::WallTime wall_;
  TimerHeap timers_;
  std::vector<std::coroutine_handle<>> ready_;
  std::vector<std::coroutine_handle<>> running_;
  std::vector<char> scratch_;
  std::span<::epoll_event> batch_;  // events of this turn that are still to be dispatched
  CallList again_;
  CallList turn_end_;
  std::function<void()> before_turn_end_ = [] {};
  uint64_t turn_ = 0;
  std::mutex posted_mutex_;
  std::vector<std::function<void()>> posted_;
};

}  // namespace deeppool::async
