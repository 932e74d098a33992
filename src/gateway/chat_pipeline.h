// The story of a completion (chat, legacy completion or embedding, in whatever protocol the caller
// speaks), every branch of it and no detail.
#pragma once

#include "gateway/call.h"

namespace deeppool::gateway {

Task<void> serve_completion(Parts& parts, http::Exchange& x, const Protocol& protocol);

}  // namespace deeppool::gateway
