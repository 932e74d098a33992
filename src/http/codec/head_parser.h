// Strict parser of HTTP/1.1 heads (RFC 9112), for both directions. Whatever two parsers could read
// differently is refused: bare LF or CR, folded lines, white space before the colon, control
// characters, Transfer-Encoding together with Content-Length, two different lengths, any coding but
// `chunked`.
#pragma once

#include <string_view>

#include "base/error.h"
#include "http/codec/message.h"

namespace deeppool::http {

// Looks for the empty line that ends a head. Returns the head's size with that line, or 0 if it is
// not there yet. `from`: bytes already looked at by an earlier call (a head that drips in costs
// linear time).
size_t find_head_end(std::string_view bytes, size_t from);

// `head` is complete, as find_head_end says; the views in `out` point into it.
// Errors: invalid_request with what is wrong, payload_too_large for too many fields; the connection
// must be closed after answering.
Result<void> parse_request_head(std::string_view head, RequestHead& out);

// `request_method` decides whether a body can follow (HEAD). Errors: upstream_failed.
Result<void> parse_response_head(std::string_view head, Method request_method, ResponseHead& out);

}  // namespace deeppool::http
