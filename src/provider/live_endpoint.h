// A stored endpoint as it serves: its URL taken apart, its key in the clear. Pure; see catalog.h
// for where such keys may go.
#pragma once

#include "provider/catalog.h"
#include "provider/endpoint_store.h"

namespace deeppool::provider {

// Errors: invalid_request, what is wrong with its base URL.
Result<Endpoint> live_endpoint(const endpoints::StoredEndpoint& stored, std::string api_key);

}  // namespace deeppool::provider
