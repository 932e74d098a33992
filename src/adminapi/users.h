// Users as administrators keep them.
#pragma once

#include <vector>

#include "adminapi/routes.h"

namespace deeppool::adminapi {

std::vector<http::Route> user_routes(const Admin& admin);

}  // namespace deeppool::adminapi
