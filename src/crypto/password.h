// bcrypt ($2b$) through libxcrypt's crypt_r. Safe on every thread, never on an event loop: one call
// at cost 12 takes about 180 ms of CPU. bcrypt reads at most 72 bytes and stops at NUL, so such
// passwords are refused, never cut.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/random.h"

namespace deeppool::crypto {

inline constexpr size_t kMaxPasswordBytes = 72;

// Work doubles with each step. Tests use 4, the least that bcrypt knows.
struct BcryptCost {
  int log2_rounds = 12;
};

// invalid_request with param `password` if it is empty, longer than 72 bytes or contains NUL.
Result<void> check_password(std::string_view password);

// The 60-character text to store. Errors as check_password.
Result<std::string> hash_password(std::string_view password, base::Random& random,
                                  BcryptCost cost = {});

// True if `password` is the one behind `hash`. Without a hash (no such user), or for a password
// that could never have been stored, it does the same work against a hash of `cost` and answers
// false, so that the time does not tell who exists.
bool verify_password(std::string_view password, const std::optional<std::string>& hash,
                     BcryptCost cost = {});

}  // namespace deeppool::crypto
