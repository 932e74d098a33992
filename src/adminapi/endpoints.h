// Upstream endpoints: base URL, sealed key, upstream model, weight, priority.
#pragma once

#include <vector>

#include "adminapi/routes.h"

namespace deeppool::adminapi {

std::vector<http::Route> endpoint_routes(const Admin& admin);

}  // namespace deeppool::adminapi
