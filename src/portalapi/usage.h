// What a user's keys have used and were charged.
#pragma once

#include <vector>

#include "portalapi/routes.h"

namespace deeppool::portalapi {

std::vector<http::Route> usage_routes(const Portal& portal);

}  // namespace deeppool::portalapi
