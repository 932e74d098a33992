// Capture: the bytes of a running answer, to be kept when it has ended. Bounded per answer, and by
// a Budget that all captures of a program share; beyond either the bytes are dropped and the answer
// is not kept. A Capture belongs to one loop, the Budget to all.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace deeppool::idempotency {

class Budget {
 public:
  explicit Budget(int64_t bytes) : left_(bytes) {}
  bool take(int64_t bytes);
  void give_back(int64_t bytes) { left_.fetch_add(bytes, std::memory_order_relaxed); }
  int64_t left() const { return left_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> left_;
};

class Capture {
 public:
  explicit Capture(Budget& budget) : budget_(budget) {}
  ~Capture() { drop(); }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  void add(std::string_view bytes);
  bool complete() const { return complete_; }
  const std::string& bytes() const { return bytes_; }

 private:
  void drop();

  Budget& budget_;
  std::string bytes_;
  bool complete_ = true;
};

}  // namespace deeppool::idempotency
