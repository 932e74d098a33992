// Upstream endpoints: base URL, sealed key, upstream model, weight, priority.
#pragma once

#include <vector>

#include "adminapi/routes.h"
#include "provider/endpoint_store.h"
#include "webapi/handler.h"

namespace deeppool::adminapi {

std::vector<http::Route> endpoint_routes(const Admin& admin);

// The fields of an endpoint that is not kept, checked as if it were; it needs no name.
struct UnsavedEndpoint {
  provider::endpoints::StoredEndpoint endpoint;
  std::string api_key;
};
Result<UnsavedEndpoint> read_unsaved_endpoint(const webapi::Request& request);

}  // namespace deeppool::adminapi
