// Alerts at low balance and used quota: a user's rules, what came of them, and the webhook.
#pragma once

#include <vector>

#include "portalapi/routes.h"

namespace deeppool::portalapi {

std::vector<http::Route> alert_routes(const Portal& portal);

}  // namespace deeppool::portalapi
