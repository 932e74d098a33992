// Accounts: register, log in and out, profile, password.
#pragma once

#include <vector>

#include "portalapi/routes.h"

namespace deeppool::portalapi {

std::vector<http::Route> account_routes(const Portal& portal);

}  // namespace deeppool::portalapi
