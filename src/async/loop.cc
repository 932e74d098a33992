#include "async/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/log.h"

namespace deeppool::async {
namespace {

thread_local Loop* t_loop = nullptr;
constexpr size_t kBatch = 256;       // events per epoll_wait
constexpr size_t kReadPadding = 64;  // SIMDJSON_PADDING

}  // namespace

// ---- timers

Timer::~Timer() {
  loop_.timers().remove(*this);
}

void Timer::set(base::Instant at) {
  at_ = at;
  if (at < queued_) loop_.timers().place(*this);
}

void TimerHeap::swap_at(size_t a, size_t b) {
  std::swap(heap_[a], heap_[b]);
  heap_[a]->index_ = a;
  heap_[b]->index_ = b;
}

void TimerHeap::sift_up(size_t i) {
  while (i > 0 && heap_[i]->queued_ < heap_[(i - 1) / 2]->queued_) {
    swap_at(i, (i - 1) / 2);
    i = (i - 1) / 2;
  }
}

void TimerHeap::sift_down(size_t i) {
  while (true) {
    size_t least = i;
    for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < heap_.size(); ++child) {
      if (heap_[child]->queued_ < heap_[least]->queued_) least = child;
    }
    if (least == i) return;
    swap_at(i, least);
    i = least;
  }
}

void TimerHeap::place(Timer& timer) {
  timer.queued_ = timer.at_;
  if (timer.index_ == Timer::kNotQueued) {
    timer.index_ = heap_.size();
    heap_.push_back(&timer);
  }
  sift_up(timer.index_);
}

void TimerHeap::remove(Timer& timer) {
  const size_t i = timer.index_;
  if (i == Timer::kNotQueued) return;
  swap_at(i, heap_.size() - 1);
  heap_.pop_back();
  timer.index_ = Timer::kNotQueued;
  timer.queued_ = base::Instant::max();
  if (i < heap_.size()) {
    sift_up(i);
    sift_down(i);
  }
}

void TimerHeap::fire_due(base::Instant now) {
  while (!heap_.empty() && heap_[0]->queued_ <= now) {
    Timer& timer = *heap_[0];
    remove(timer);
    if (timer.at_ <= now) {
      timer.at_ = base::Instant::max();
      timer.fire_(timer.context_);  // may destroy the timer
    } else if (timer.armed()) {
      place(timer);
    }
  }
}

// ---- loop

void CallList::forget(Watch& watch) {
  std::erase(waiting_, &watch);
  std::ranges::replace(calling_, &watch, nullptr);
}

Loop::Loop()
    : epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      scratch_(kScratchSize + kReadPadding) {
  read_clocks();
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.ptr = nullptr;  // the wake-up descriptor
  if (epoll_fd_ < 0 || wake_fd_ < 0 || epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &event) != 0) {
    log::error("cannot create an event loop", {{"errno", errno}});
    std::abort();
  }
}

Loop::~Loop() {
  const std::lock_guard lock(posted_mutex_);
  close(wake_fd_);
  close(epoll_fd_);
}

Loop* Loop::running() {
  return t_loop;
}

void Loop::read_clocks() {
  now_ = std::chrono::steady_clock::now();
  wall_ = std::chrono::system_clock::now();
}

void Loop::watch(int fd, Watch& watch) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &watch;
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) {
    // Only ENOMEM or the user's watch limit remain; the descriptor would hang until its deadline.
    log::error("cannot watch a descriptor", {{"errno", errno}});
  }
}

void Loop::forget(int fd, Watch& watch) {
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
  for (epoll_event& event : batch_) {
    if (event.data.ptr == &watch) event.events = 0;
  }
  again_.forget(watch);
  turn_end_.forget(watch);
}

void Loop::stop() {
  stopping_ = true;
  post([] {});
}

void Loop::post(std::function<void()> fn) {
  // To its end under the lock: the loop may run `fn`, end and go away before this thread runs
  // again.
  const std::lock_guard lock(posted_mutex_);
  posted_.push_back(std::move(fn));
  if (!wake_pending_.exchange(true)) {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = write(wake_fd_, &one, sizeof one);
  }
}

void Loop::run_posted() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t n = read(wake_fd_, &count, sizeof count);
  wake_pending_ = false;  // before the queue is taken: a later post wakes again
  std::vector<std::function<void()>> batch;
  {
    const std::lock_guard lock(posted_mutex_);
    batch.swap(posted_);
  }
  for (auto& fn : batch) fn();
}

void Loop::run_ready() {
  while (!ready_.empty()) {
    running_.swap(ready_);
    for (const std::coroutine_handle<> handle : running_) handle.resume();
    running_.clear();
  }
}

void Loop::run_again() {
  again_.run([this](Watch& watch) {
    watch.on_ready(0);
    run_ready();
  });
}

void Loop::end_turn() {
  read_clocks();
  do {
    before_turn_end_();
    turn_end_.run([this](Watch& watch) {
      watch.on_turn_end();
      run_ready();
    });
  } while (!turn_end_.empty());
}

int Loop::wait_ms() const {
  if (!again_.empty()) return 0;
  const base::Instant next = timers_.next();
  if (next == base::Instant::max()) return -1;
  const auto wait = next - std::chrono::steady_clock::now();
  if (wait <= base::Duration::zero()) return 0;
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(wait).count();
  return static_cast<int>(std::min<int64_t>(ms, 60'000));
}

void Loop::run() {
  t_loop = this;
  epoll_event events[kBatch];
  while (!stopping_) {
    const int n = epoll_wait(epoll_fd_, events, kBatch, wait_ms());
    read_clocks();
    ++turn_;
    bool woken = false;
    batch_ = {events, static_cast<size_t>(std::max(n, 0))};
    while (!batch_.empty()) {
      const epoll_event event = batch_.front();
      batch_ = batch_.subspan(1);
      if (event.data.ptr == nullptr) {
        woken = true;
      } else if (event.events != 0) {
        static_cast<Watch*>(event.data.ptr)->on_ready(event.events);
        run_ready();
      }
    }
    run_again();
    timers_.fire_due(now_);
    run_ready();
    if (woken) {
      run_posted();
      run_ready();
    }
    end_turn();
  }
  t_loop = nullptr;
}

}  // namespace deeppool::async
