// Pictures and documents that a request names by URL, fetched for endpoints whose providers fetch
// none, and put into the request as data URLs. On the request's loop, after admission, through a
// client that reaches public addresses only (http::Reach): the caller chose these URLs, redirects
// included. Nothing that a caller learns here tells one closed door from another.
#pragma once

#include "gateway/call.h"

namespace deeppool::gateway {

// Whether the request has such a URL and somebody of the plan would need it fetched.
bool needs_inlining(const Call& call);

// Rewrites call.x.body and call.view. Errors: invalid_request naming the part, payload_too_large,
// cancelled.
Task<Result<void>> inline_images(Call& call);

}  // namespace deeppool::gateway
