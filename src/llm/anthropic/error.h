// What Anthropic's clients are told of a failure: status, type and body. The one table from
// OpenAI's words to theirs (source: the API's documented error types, 2026-10).
#pragma once

#include <string>

#include "llm/answer_encoder.h"

namespace deeppool::llm::anthropic {

struct ErrorRow {
  int status;  // HTTP
  std::string_view type;
};
ErrorRow error_row(const ErrorText& error);

// {"type":"error","error":{"type","message"},"request_id"}; `param` is added where there is one.
std::string error_body(const ErrorText& error);

}  // namespace deeppool::llm::anthropic
