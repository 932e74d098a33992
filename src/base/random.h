// Randomness as the domain sees it: keys, ids, jitter. SystemRandom is the kernel's generator; the
// simulator passes a seeded one.
#pragma once

#include <cstdint>
#include <span>

namespace deeppool::base {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<uint8_t> out) = 0;
  uint64_t next_u64();
  // Uniform in [0, 1).
  double next_unit();
};

// getrandom(2) behind a small per-thread buffer; safe on every thread. Dies if the kernel refuses.
class SystemRandom final : public Random {
 public:
  void fill(std::span<uint8_t> out) override;
};

// xoshiro256**, seeded by splitmix64 (Blackman and Vigna, public domain reference). Not for
// secrets.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed);
  void fill(std::span<uint8_t> out) override;

 private:
  uint64_t step();
  uint64_t state_[4];
};

}  // namespace deeppool::base
