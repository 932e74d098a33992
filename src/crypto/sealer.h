// AES-256-GCM for secrets in the database. What is sealed for one table, row and column opens
// nowhere else: the place is associated data, so a ciphertext that is moved, swapped or altered by
// one bit is refused. One per process, owned by services; its functions are const and safe on every
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/random.h"
#include "crypto/secret_key.h"

namespace deeppool::crypto {

// Where a sealed value is stored. The row's id must exist already (insert, then seal and update).
struct SealedPlace {
  std::string_view table;
  int64_t row = 0;
  std::string_view column;
};

class Sealer {
 public:
  // `random` must be fit for secrets and outlive the sealer.
  Sealer(const SecretKey& key, base::Random& random);

  // Bytes for a BLOB column: format (1), key tag (4), nonce (12), ciphertext (as long as `plain`),
  // tag (16). The nonce is random: at most 2^32 values per key (NIST SP 800-38D, 8.3).
  std::string seal(const SealedPlace& place, std::string_view plain) const;
  // internal when `sealed` was altered, cut, moved, or sealed with another key; `detail` says
  // which.
  Result<std::string> open(const SealedPlace& place, std::string_view sealed) const;

 private:
  std::string associated_data(const SealedPlace& place) const;

  SecretKey key_;
  std::string header_;  // format byte and key tag
  base::Random& random_;
};

}  // namespace deeppool::crypto
