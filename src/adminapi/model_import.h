// Models made of an upstream's: each gets an endpoint like the one it is imported through, that
// asks for it, and a price, which is said for every model or it is said to be free.
#pragma once

#include "webapi/handler.h"

namespace deeppool::adminapi {

// POST /endpoints/{id}/import-models. All of them or none.
webapi::Answer import_models(const webapi::Services& services, const webapi::Request& request);

}  // namespace deeppool::adminapi
