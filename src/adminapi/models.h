// Models and the endpoints behind them.
#pragma once

#include <vector>

#include "adminapi/routes.h"

namespace deeppool::adminapi {

std::vector<http::Route> model_routes(const Admin& admin);

}  // namespace deeppool::adminapi
