// A 32-byte key that wipes itself, and the file it lives in. Made once at start, then passed by
// reference. The file holds 64 hex digits and is readable by its owner only; a looser mode is
// refused.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/random.h"

namespace deeppool::crypto {

class SecretKey {
 public:
  static constexpr size_t kSize = 32;

  // Exactly 64 hex digits of either case; anything else is invalid_request without a word of the
  // text.
  static Result<SecretKey> from_hex(std::string_view hex);
  static SecretKey generate(base::Random& random);

  SecretKey(const SecretKey&) = default;
  SecretKey& operator=(const SecretKey&) = default;
  ~SecretKey();

  std::span<const uint8_t, kSize> bytes() const { return bytes_; }
  std::string hex() const;

 private:
  SecretKey() = default;
  std::array<uint8_t, kSize> bytes_{};
};

// Reads the key at `path`, or makes one there (mode 0600, synced to disk before it is used). Two
// processes that start together get the same key. unavailable: the file cannot be read, written or
// trusted.
Result<SecretKey> load_or_create_key(const std::string& path, base::Random& random);

}  // namespace deeppool::crypto
