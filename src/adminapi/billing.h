// Users' money: overdraft policy, adjustments, statements.
#pragma once

#include <vector>

#include "adminapi/routes.h"

namespace deeppool::adminapi {

std::vector<http::Route> billing_routes(const Admin& admin);

}  // namespace deeppool::adminapi
