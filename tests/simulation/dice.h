// All chance of a simulation: one sequence per seed, so that a seed is one history. Single thread.
#pragma once

#include <cstdint>

#include "base/random.h"

namespace deeppool::simulation {

class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(seed) {}

  // In [low, high].
  int64_t between(int64_t low, int64_t high) {
    const auto width = static_cast<uint64_t>(high - low) + 1;
    return low + static_cast<int64_t>(random_.next_u64() % width);
  }
  size_t below(size_t n) { return static_cast<size_t>(between(0, static_cast<int64_t>(n) - 1)); }
  bool once_in(int64_t n) { return between(1, n) == 1; }
  // Many small ones, few near `high`.
  int64_t skewed(int64_t low, int64_t high) { return between(low, between(low, high)); }

  base::Random& random() { return random_; }

 private:
  base::SeededRandom random_;
};

}  // namespace deeppool::simulation
