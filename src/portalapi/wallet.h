// The wallet of who calls, and its statement.
#pragma once

#include <vector>

#include "portalapi/routes.h"

namespace deeppool::portalapi {

std::vector<http::Route> wallet_routes(const Portal& portal);

}  // namespace deeppool::portalapi
