#include "testing/redis_server.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>

namespace deeppool::testing {

std::optional<redis::Server> redis_server() {
  const char* named = std::getenv("DEEPPOOL_TEST_REDIS");
  if (named == nullptr) return std::nullopt;
  static std::atomic<int> next{0};
  // Test programs run side by side: the process tells their databases apart.
  constexpr int kDatabases = 1023;
  const int database = 1 + (getpid() * 7 + next++) % kDatabases;
  auto server = redis::parse_url("redis://" + std::string(named) + "/" + std::to_string(database));
  if (!server) return std::nullopt;
  return *std::move(server);
}

}  // namespace deeppool::testing
