// Every URL of the platform, as tables, and what all of them share.
#pragma once

#include <vector>

#include "gateway/call.h"
#include "http/server/server.h"
#include "webapi/services.h"

namespace deeppool::platform {

// /v1: for callers with an API key. `body_limit`: bytes of one request.
std::vector<http::Route> gateway_routes(gateway::Parts& parts, size_t body_limit);

// Errors in the shape of the API that the path belongs to, and the access check of /api/v1.
http::ServerHooks shared_hooks(const webapi::Services& services);

}  // namespace deeppool::platform
