// Help with connecting a provider: which are known, whether an endpoint works, what an upstream
// serves, and models made of a list of those.
#pragma once

#include <vector>

#include "adminapi/routes.h"

namespace deeppool::adminapi {

std::vector<http::Route> provider_setup_routes(const Admin& admin);

}  // namespace deeppool::adminapi
