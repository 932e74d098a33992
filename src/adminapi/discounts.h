// Discounts for a user or everybody.
#pragma once

#include <vector>

#include "adminapi/routes.h"

namespace deeppool::adminapi {

std::vector<http::Route> discount_routes(const Admin& admin);

}  // namespace deeppool::adminapi
