// A whole answer of Anthropic's (a message) as a chat completion. Pure.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "json/padded.h"

namespace deeppool::provider::anthropic {

// `created`: unix seconds. A body that reports an error comes back as it is. Errors:
// upstream_failed for anything that is no message.
Result<json::PaddedBytes> make_house_answer(json::PaddedBytes body, int64_t created);

}  // namespace deeppool::provider::anthropic
