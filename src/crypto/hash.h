// SHA-256, HMAC-SHA-256 and comparison in constant time, over OpenSSL EVP.
// Stateless, safe on every thread, cheap enough for the hot path (no allocation after a thread's
// first call). OpenSSL can only fail here for want of memory or of its own provider: the program
// ends then.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace deeppool::crypto {

using Digest = std::array<uint8_t, 32>;

Digest sha256(std::string_view bytes);
Digest hmac_sha256(std::string_view key, std::string_view bytes);

// Remembers the last short text that was hashed: a client says the same key with every request of
// its connection. One owner; the text is wiped when it goes.
class HashMemo {
 public:
  HashMemo() = default;
  HashMemo(const HashMemo&) = delete;
  HashMemo& operator=(const HashMemo&) = delete;
  ~HashMemo();
  // Compared in constant time with what is remembered.
  const Digest& sha256(std::string_view text);

 private:
  std::array<char, 64> text_;  // ours are 46 bytes; longer ones are hashed every time
  size_t size_ = 0;            // 0: nothing is remembered
  Digest digest_;
};

// The time depends on the lengths only. Different lengths are unequal.
bool constant_time_equal(std::string_view a, std::string_view b);

inline std::string_view bytes_of(const Digest& d) {
  return {reinterpret_cast<const char*>(d.data()), d.size()};
}

}  // namespace deeppool::crypto
