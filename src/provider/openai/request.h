// The head of a request to an OpenAI-compatible upstream. Only the fields written here ever reach
// an upstream; nothing of the caller's headers is passed on but the trace.
#pragma once

#include <string>
#include <string_view>

#include "llm/openai/request.h"
#include "provider/catalog.h"

namespace deeppool::provider::openai {

// The member of a request body by which `endpoint` takes a bound on the answer. OpenAI's newer
// models refuse the old name for chats, which is the only one that others know.
std::string_view output_limit_field(const Endpoint& endpoint, llm::Api api);

struct RequestHeadFields {
  std::string_view path;  // "/chat/completions", appended to the endpoint's base URL
  size_t content_length = 0;
  std::string_view accept;       // media type
  std::string_view request_id;   // ours; for the upstream's log
  std::string_view traceparent;  // may be empty
};
std::string request_head(const Endpoint& endpoint, const RequestHeadFields& fields);

}  // namespace deeppool::provider::openai
