// The base URL of an upstream endpoint, taken apart once when it is saved or loaded. Complete, as
// providers print it ("https://api.openai.com/v1"): the gateway appends only the route's own path.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace deeppool::provider {

inline constexpr size_t kMaxBaseUrlBytes = 1024;  // the table's column

struct BaseUrl {
  bool tls = false;
  std::string host;  // lower case; IPv6 without its brackets
  uint16_t port = 0;
  std::string path_prefix;  // "/v1", without a slash at its end; empty for none
};

// http or https, a host, an optional port and path. invalid_request with param `endpoint` for
// anything else: user and password, query, fragment, white space, a bad port or host.
Result<BaseUrl> parse_base_url(std::string_view text);

}  // namespace deeppool::provider
