// The Redis server that DEEPPOOL_TEST_REDIS=host:port names (tools/test_servers.sh prints it), for
// integration tests. Each caller gets a database of its own, emptied first by who needs that.
#pragma once

#include <optional>

#include "redis/server.h"

namespace deeppool::testing {

// Nothing when the environment names none: the test skips itself.
std::optional<redis::Server> redis_server();

}  // namespace deeppool::testing
