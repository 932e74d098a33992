// A user's own API keys. Another user's key answers exactly like a missing one.
#pragma once

#include <vector>

#include "portalapi/routes.h"

namespace deeppool::portalapi {

std::vector<http::Route> api_key_routes(const Portal& portal);

}  // namespace deeppool::portalapi
