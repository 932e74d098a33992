// Every URL of the platform, as tables, and what all of them share.
#pragma once

#include <vector>

#include "gateway/call.h"
#include "http/server/server.h"

namespace deeppool::platform {

// /v1: for callers with an API key.
std::vector<http::Route> gateway_routes(gateway::Parts& parts);

http::ServerHooks server_hooks(const base::Clock& clock, base::Random& random);

}  // namespace deeppool::platform
