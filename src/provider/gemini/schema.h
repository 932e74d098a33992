// JSON schemas put into the subset of OpenAPI's that Gemini reads: `$ref` inlined, `const` and
// mixed types said otherwise, what it has no word for left out. Pure, on the stack of one request.
// Source: ai.google.dev/api/caching#Schema, as of 2026-11-15.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace deeppool::provider::gemini {

// `schema`: one valid JSON value with json::kPadding readable bytes behind it. Empty for the schema
// of an object without properties, which Gemini refuses where it could be left out.
// Errors: invalid_request with `param` where the schema grows beyond any bound by its references.
Result<std::string> openapi_schema(std::string_view schema, std::string_view param);

}  // namespace deeppool::provider::gemini
