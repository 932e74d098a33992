// The head of a request to an upstream. Only the fields written here ever reach one; nothing of the
// caller's headers is passed on but the trace.
#pragma once

#include <string_view>

#include "base/text_buffer.h"
#include "provider/adapter.h"

namespace deeppool::provider {

struct RequestHeadFields {
  std::string_view path;         // "/chat/completions", appended to the endpoint's base URL
  std::string_view key_header;   // what goes before the endpoint's key: "Authorization: Bearer "
  std::string_view more_fields;  // further whole lines, each with its CRLF
  size_t content_length = 0;
};
// The value of Host: without the port where it is the scheme's own.
void put_authority(base::TextBuffer& head, const Endpoint& endpoint);

// Content type, accepted media type (by whether the answer is streamed), ids and trace are the
// asking's.
base::TextBuffer request_head(const Asking& asking, const RequestHeadFields& fields);

}  // namespace deeppool::provider
