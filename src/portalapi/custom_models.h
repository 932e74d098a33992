// Models that users make for themselves: hybrids over public models, and provider endpoints with a
// key of their own.
#pragma once

#include <vector>

#include "portalapi/routes.h"

namespace deeppool::portalapi {

std::vector<http::Route> custom_model_routes(const Portal& portal);

}  // namespace deeppool::portalapi
