// A whole generateContent answer as a house answer. Pure.
#pragma once

#include "base/error.h"
#include "json/padded.h"

namespace deeppool::provider::gemini {

// `created`: unix seconds. What the vendor reports as an error becomes a house error. Errors:
// upstream_failed for what is neither.
Result<json::PaddedBytes> whole_answer(const json::PaddedBytes& body, int64_t created);

}  // namespace deeppool::provider::gemini
