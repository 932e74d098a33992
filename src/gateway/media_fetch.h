// One GET for a picture or a document at a URL that a caller chose. The client decides where
// connections may go; every redirect is a new request to it and so is judged again.
#pragma once

#include <string>

#include "http/client/client.h"

namespace deeppool::gateway {

struct MediaUrl {
  http::Origin origin;
  std::string target;  // path and query
  std::string host;    // as the Host field has it

  // Errors: invalid_request, without a param.
  static Result<MediaUrl> parse(std::string_view url);
};

struct Media {
  std::string type;  // without parameters
  std::string bytes;
};

// What one request brings in is bounded: too many bytes of it, read or put into its body.
Error too_large_together();

// `room`: how many bytes all fetches of one request may still bring, on one loop; each takes what
// it reads as it comes. Errors: invalid_request with a sentence for the caller, payload_too_large,
// cancelled.
Task<Result<Media>> fetch_media(http::Client& client, std::string url, base::Deadline deadline,
                                async::CancelScope& scope, size_t& room);

}  // namespace deeppool::gateway
