// GET /v1/models and /v1/models/{id}: what the caller's key may use.
#pragma once

#include "gateway/call.h"

namespace deeppool::gateway {

Task<void> list_models(Parts& parts, http::Exchange& x);
// The id is the first path parameter, percent-decoded ("org/my model").
Task<void> get_model(Parts& parts, http::Exchange& x);

}  // namespace deeppool::gateway
