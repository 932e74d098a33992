// What one key did in its trailing minute: a ring of seconds, oldest first, that holds only seconds
// in which something happened. Owned by a Limiter's shard and used under its lock. Invariant: an
// event counts for at least 60 s and at most 61 s after it happened.
#pragma once

#include <cstdint>
#include <memory>

namespace deeppool::ratelimit {

// Whole seconds since the Limiter was made.
using Second = uint32_t;

class Window {
 public:
  // Forgets what has left the window at `now`. Everything below expects to be called after it.
  void advance(Second now);
  void add(Second now, uint32_t requests, int64_t tokens);
  // Takes tokens back out of the second they were added in; nothing if it has left the window.
  void take_back(Second when, int64_t tokens);

  // visit(second, requests, tokens), oldest first.
  template <class Visit>
  void each(Visit visit) const {
    for (uint32_t i = 0; i < size_; ++i) {
      visit(slot(i).second, static_cast<int64_t>(slot(i).requests), slot(i).tokens);
    }
  }

  bool empty() const { return size_ == 0; }
  int64_t requests() const { return requests_; }
  int64_t tokens() const { return tokens_; }
  // The first second in which none of the present requests (tokens) counts any more; 0 if none does
  // now.
  Second requests_gone_at() const;
  Second tokens_gone_at() const;
  // The first second in which at most `allowed` (>= 0) of them count; 0 if that is so now.
  Second requests_fall_to(int64_t allowed) const;
  Second tokens_fall_to(int64_t allowed) const;

 private:
  struct Slot {
    Second second = 0;
    uint32_t requests = 0;
    int64_t tokens = 0;
  };

  // `i` counts from the oldest slot.
  Slot& slot(uint32_t i) { return slots_[(first_ + i) & (capacity_ - 1)]; }
  const Slot& slot(uint32_t i) const { return slots_[(first_ + i) & (capacity_ - 1)]; }
  void grow();

  std::unique_ptr<Slot[]> slots_;  // 4, 8, ... 64 slots: most keys are quiet
  uint32_t capacity_ = 0;
  uint32_t first_ = 0;
  uint32_t size_ = 0;
  int64_t requests_ = 0;
  int64_t tokens_ = 0;
};

}  // namespace deeppool::ratelimit
