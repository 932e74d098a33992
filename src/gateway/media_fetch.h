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

// Errors: invalid_request with a sentence for the caller, cancelled.
Task<Result<Media>> fetch_media(http::Client& client, std::string url, base::Deadline deadline,
                                async::CancelScope& scope);

}  // namespace deeppool::gateway
