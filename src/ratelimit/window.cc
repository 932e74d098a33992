#include "ratelimit/window.h"

#include <algorithm>

#include "ratelimit/limits.h"

namespace deeppool::ratelimit {

void Window::advance(Second now) {
  while (size_ > 0 && slot(0).second + kRingSeconds <= now) {
    requests_ -= slot(0).requests;
    tokens_ -= slot(0).tokens;
    first_ = (first_ + 1) & (capacity_ - 1);
    --size_;
  }
}

void Window::add(Second now, uint32_t requests, int64_t tokens) {
  // A reader of the clock that was overtaken by another one counts in the newer second: longer,
  // never shorter.
  if (size_ == 0 || slot(size_ - 1).second < now) {
    if (size_ == capacity_) grow();
    slot(size_) = {now, 0, 0};
    ++size_;
  }
  Slot& newest = slot(size_ - 1);
  newest.requests += requests;
  newest.tokens += tokens;
  requests_ += requests;
  tokens_ += tokens;
}

void Window::take_back(Second when, int64_t tokens) {
  for (uint32_t i = size_; i-- > 0;) {
    Slot& candidate = slot(i);
    if (candidate.second > when) continue;
    if (candidate.second < when) return;
    candidate.tokens -= tokens;
    tokens_ -= tokens;
    return;
  }
}

// Newest first: the answer is nearly always in the first slot looked at.
Second Window::requests_gone_at() const {
  for (uint32_t i = size_; i-- > 0;) {
    if (slot(i).requests > 0) return slot(i).second + kRingSeconds;
  }
  return 0;
}

Second Window::tokens_gone_at() const {
  for (uint32_t i = size_; i-- > 0;) {
    if (slot(i).tokens > 0) return slot(i).second + kRingSeconds;
  }
  return 0;
}

Second Window::requests_fall_to(int64_t allowed) const {
  int64_t left = requests_;
  uint32_t i = 0;
  for (; i < size_ && left > allowed; ++i) left -= slot(i).requests;
  return i == 0 ? 0 : slot(i - 1).second + kRingSeconds;
}

Second Window::tokens_fall_to(int64_t allowed) const {
  int64_t left = tokens_;
  uint32_t i = 0;
  for (; i < size_ && left > allowed; ++i) left -= slot(i).tokens;
  return i == 0 ? 0 : slot(i - 1).second + kRingSeconds;
}

void Window::grow() {
  const uint32_t capacity = std::max<uint32_t>(4, capacity_ * 2);
  auto slots = std::make_unique<Slot[]>(capacity);
  for (uint32_t i = 0; i < size_; ++i) slots[i] = slot(i);
  slots_ = std::move(slots);
  capacity_ = capacity;
  first_ = 0;
}

}  // namespace deeppool::ratelimit
