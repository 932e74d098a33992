// What everybody has used and was charged.
#pragma once

#include <vector>

#include "adminapi/routes.h"

namespace deeppool::adminapi {

std::vector<http::Route> usage_routes(const Admin& admin);

}  // namespace deeppool::adminapi
