// A house request in Anthropic's words: POST {base}/messages. Pure: one walk over the body, one
// text written; strings are copied with their escapes as they stand.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "provider/adapter.h"

namespace deeppool::provider::anthropic {

enum class ApiVersion : uint8_t { v2023_06_01, v2026_10_21 };

// Errors: invalid_request with `param`, for what cannot be said to Anthropic.
Result<UpstreamRequest> make_request(const Asking& asking, ApiVersion version);

}  // namespace deeppool::provider::anthropic
