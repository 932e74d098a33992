// A house request said to Gemini: the body of generateContent. Pure; what it makes is owned by the
// result. Source: ai.google.dev/api/generate-content, as of 2026-11-15.
#pragma once

#include <string>
#include <vector>

#include "provider/adapter.h"

namespace deeppool::provider::gemini {

struct RequestText {
  std::string body;
  std::vector<std::string> dropped;  // names of the caller's parameters that Gemini has no word for
};

// Errors: invalid_request with `param` for what cannot be said.
Result<RequestText> write_request(const Asking& asking);

}  // namespace deeppool::provider::gemini
