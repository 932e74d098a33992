// What can be called here, for everybody, from the catalog in memory.
#pragma once

#include <vector>

#include "portalapi/routes.h"

namespace deeppool::portalapi {

std::vector<http::Route> public_model_routes(const Portal& portal);

}  // namespace deeppool::portalapi
