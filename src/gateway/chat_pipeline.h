// The story of a completion (chat, legacy completion or embedding), every branch of it and no
// detail.
#pragma once

#include "gateway/call.h"

namespace deeppool::gateway {

Task<void> serve_completion(Parts& parts, http::Exchange& x, llm::Api api);

}  // namespace deeppool::gateway
