// The platform: dashboard, settings, audit log.
#pragma once

#include <vector>

#include "adminapi/routes.h"

namespace deeppool::adminapi {

std::vector<http::Route> platform_routes(const Admin& admin);

}  // namespace deeppool::adminapi
