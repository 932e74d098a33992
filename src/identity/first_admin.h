// The administrator that a fresh store begins with, and the way back in for an operator who lost
// the password. Blocking; called at start and by the command line, before anything is served.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/ids.h"
#include "base/random.h"
#include "crypto/password.h"
#include "sql/database.h"

namespace deeppool::identity {

struct AdminSettings {
  std::string username = "admin";
  std::string password{};  // empty: one is generated
  std::string phone{};
  std::string email{};
};

struct Surroundings {
  sql::Database& database;
  const base::Clock& clock;
  base::Random& random;  // fit for secrets
  crypto::BcryptCost cost = {};
};

struct FirstAdmin {
  std::string username;
  std::optional<std::string> generated_password;  // to be shown once, stored nowhere
};

// Makes the administrator if the store has none; nothing if it has one already (several processes
// may start together). invalid_request names the setting that is wrong.
Result<std::optional<FirstAdmin>> ensure_admin(const Surroundings& in,
                                               const AdminSettings& settings);

// What else belongs into the transaction of a reset: its row in the audit log, which is not ours.
using AlsoOnReset = std::function<Result<void>(sql::Writer& tx, base::UserId admin)>;

// A new generated password for an enabled administrator; all sessions end. not_found otherwise.
Result<std::string> reset_admin_password(const Surroundings& in, std::string_view username,
                                         const AlsoOnReset& also);

}  // namespace deeppool::identity
