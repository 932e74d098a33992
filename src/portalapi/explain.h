// What routing would do with a request, without sending it anywhere.
#pragma once

#include <vector>

#include "portalapi/routes.h"

namespace deeppool::portalapi {

std::vector<http::Route> explain_routes(const Portal& portal);

}  // namespace deeppool::portalapi
