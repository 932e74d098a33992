// The access check of routes for users and administrators: `Authorization: Bearer dps-...`, looked
// up in the table on every request, so that a session ended anywhere is over everywhere at once.
// Runs on the exchange's loop, the look-up on the SQL pool.
#pragma once

#include "http/server/exchange.h"
#include "http/server/router.h"
#include "webapi/services.h"

namespace deeppool::webapi {

// For ServerHooks::authorize. Fills x.user. unauthenticated without a live session of an enabled
// user; permission_denied on a route for administrators when the user is none.
Task<Result<void>> authorize(const Services& services, http::Exchange& x, http::Access access);

}  // namespace deeppool::webapi
