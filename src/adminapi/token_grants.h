// Free tokens for users.
#pragma once

#include <vector>

#include "adminapi/routes.h"

namespace deeppool::adminapi {

std::vector<http::Route> token_grant_routes(const Admin& admin);

}  // namespace deeppool::adminapi
