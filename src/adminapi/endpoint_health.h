// How endpoints do, as administrators see it: the live health of this process, in JSON.
#pragma once

#include <boost/json/value.hpp>

#include "adminapi/routes.h"

namespace deeppool::adminapi {

// Null for an endpoint that is not in force: disabled, or unusable (the log says why).
boost::json::value health_json(const Admin& admin, base::EndpointId id);

}  // namespace deeppool::adminapi
