#include "async/blocking_pool.h"

#include "base/thread_name.h"

namespace deeppool::async {

BlockingPool::BlockingPool(std::string name, size_t threads, size_t queue_limit)
    : name_(std::move(name)), queue_limit_(queue_limit) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

BlockingPool::~BlockingPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool BlockingPool::enqueue(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= queue_limit_ || stopping_) return false;
    queue_.push_back(std::move(job));
  }
  wake_.notify_one();
  return true;
}

void BlockingPool::work() {
  base::name_this_thread(name_);
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    std::function<void()> job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

Error BlockingPool::overloaded() const {
  return Error(ErrorCode::unavailable, "The server is busy. Try again in a moment.",
               "queue of pool '" + name_ + "' is full");
}

Error BlockingPool::timed_out() const {
  return Error(ErrorCode::timeout, "The server took too long. Try again in a moment.",
               "job on pool '" + name_ + "' passed its deadline");
}

}  // namespace deeppool::async
