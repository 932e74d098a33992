#include "identity/password_hasher.h"

#include "identity/limits.h"

namespace deeppool::identity {
namespace {

// Longer than the full queue takes, so that whoever was admitted is answered.
constexpr std::chrono::seconds kHashDeadline{20};

base::Deadline deadline() {
  return {async::Loop::current().now() + kHashDeadline};
}

}  // namespace

PasswordHasher::PasswordHasher(base::Random& random, crypto::BcryptCost cost)
    : random_(random), cost_(cost), pool_("passwords", kBcryptThreads, kBcryptQueue) {}

Task<Result<std::string>> PasswordHasher::hash(std::string password) {
  auto job = [this, password = std::move(password)] {
    return crypto::hash_password(password, random_, cost_);
  };
  Result<std::string> hashed = co_await pool_.run(std::move(job), deadline());
  co_return hashed;
}

Task<Result<bool>> PasswordHasher::verify(std::string password, std::optional<std::string> hash) {
  auto job = [cost = cost_, password = std::move(password),
              stored = std::move(hash)]() -> Result<bool> {
    return crypto::verify_password(password, stored, cost);
  };
  Result<bool> verified = co_await pool_.run(std::move(job), deadline());
  co_return verified;
}

}  // namespace deeppool::identity
