// PasswordHasher: bcrypt on a small pool of its own, so that logins, however many, cannot take the
// CPU or the threads of anything else. One per process, owned by services, used from every loop. A
// full queue answers `unavailable` at once.
#pragma once

#include <optional>
#include <string>

#include "async/blocking_pool.h"
#include "async/task.h"
#include "base/random.h"
#include "crypto/password.h"

namespace deeppool::identity {

class PasswordHasher {
 public:
  // `random` must be fit for secrets and outlive the hasher.
  explicit PasswordHasher(base::Random& random, crypto::BcryptCost cost = {});

  Task<Result<std::string>> hash(std::string password);
  // Takes the same time without a hash (no such user) and answers false.
  Task<Result<bool>> verify(std::string password, std::optional<std::string> hash);

 private:
  base::Random& random_;
  const crypto::BcryptCost cost_;
  async::BlockingPool pool_;
};

}  // namespace deeppool::identity
