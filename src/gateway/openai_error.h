// The one table from base::Error to what OpenAI clients understand: status, type, code, headers.
// For whole bodies and for broken streams alike.
#pragma once

#include <string>
#include <string_view>

#include "async/task.h"
#include "base/error.h"
#include "http/server/exchange.h"

namespace deeppool::gateway {

struct OpenAiError {
  int status;
  std::string_view type;
  std::string_view code;
  bool final;  // x-should-retry: false; a retry cannot help
};
OpenAiError openai_error(ErrorCode code);
int openai_error_status(ErrorCode code);

// {"error":{"message","type","param","code"}}; never `detail`.
std::string openai_error_body(const Error& error);
// What the answer to an error has in every protocol: retry-after and x-should-retry where they
// apply. Logs `detail`.
void prepare_error(http::Exchange& x, const Error& error);
Task<void> answer_openai_error(http::Exchange& x, Error error);

}  // namespace deeppool::gateway
