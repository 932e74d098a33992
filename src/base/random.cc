#include "base/random.h"

#include <sys/random.h>

#include <bit>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace deeppool::base {

uint64_t Random::next_u64() {
  uint64_t v = 0;
  fill({reinterpret_cast<uint8_t*>(&v), sizeof v});
  return v;
}

double Random::next_unit() {
  return static_cast<double>(next_u64() >> 11) * 0x1.0p-53;
}

namespace {

void fill_from_kernel(std::span<uint8_t> out) {
  while (!out.empty()) {
    const ssize_t n = getrandom(out.data(), out.size(), 0);
    if (n < 0) {
      if (errno == EINTR) continue;
      std::abort();  // without randomness there are no safe keys
    }
    out = out.subspan(static_cast<size_t>(n));
  }
}

// One system call serves many small reads (request ids). Bytes are wiped as they are handed out.
struct Reserve {
  uint8_t bytes[512];
  size_t used = sizeof bytes;
};

}  // namespace

void SystemRandom::fill(std::span<uint8_t> out) {
  thread_local Reserve reserve;
  if (out.size() > sizeof reserve.bytes / 8) return fill_from_kernel(out);
  if (sizeof reserve.bytes - reserve.used < out.size()) {
    fill_from_kernel(reserve.bytes);
    reserve.used = 0;
  }
  std::memcpy(out.data(), reserve.bytes + reserve.used, out.size());
  explicit_bzero(reserve.bytes + reserve.used, out.size());
  reserve.used += out.size();
}

SeededRandom::SeededRandom(uint64_t seed) {
  for (uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15;
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    word = z ^ (z >> 31);
  }
}

uint64_t SeededRandom::step() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

void SeededRandom::fill(std::span<uint8_t> out) {
  while (!out.empty()) {
    const uint64_t word = step();
    const size_t n = out.size() < sizeof word ? out.size() : sizeof word;
    std::memcpy(out.data(), &word, n);
    out = out.subspan(n);
  }
}

}  // namespace deeppool::base
