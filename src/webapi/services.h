// What every handler of /api/v1 works with. Filled once by the program's services, passed by
// reference; everything in it outlives the routes and the pool's jobs.
#pragma once

#include <functional>

#include "async/blocking_pool.h"
#include "base/clock.h"
#include "base/random.h"
#include "crypto/sealer.h"
#include "identity/password_hasher.h"
#include "sql/database.h"

namespace deeppool::webapi {

struct Services {
  sql::Database& database;
  async::BlockingPool& sql_pool;  // every statement runs there
  const base::Clock& clock;
  base::Random& random;  // fit for secrets
  const crypto::Sealer& sealer;
  identity::PasswordHasher& passwords;
  // After a change to keys, users, models or endpoints was committed. Blocking, called on the pool:
  // when it returns, the change is in force in this process.
  std::function<void()> config_changed;
};

inline int64_t now_ms(const Services& services) {
  return base::unix_ms(services.clock.wall());
}

}  // namespace deeppool::webapi
