// Origin: where an upstream is reached. Connections are pooled per origin, so two endpoints that
// share a host share its connections, unless their CA differs.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace deeppool::http {

struct Origin {
  bool tls = true;
  std::string host;  // a name or an IP literal, without brackets
  uint16_t port = 443;
  std::string ca_file;  // empty: the system's store
  bool operator==(const Origin&) const = default;
};

struct OriginHash {
  size_t operator()(const Origin& o) const {
    return std::hash<std::string>{}(o.host) ^ (size_t{o.port} << 1 | o.tls) ^
           std::hash<std::string>{}(o.ca_file) * 31;
  }
};

// An HTTP proxy that opens tunnels (CONNECT) to https origins, as HTTPS_PROXY names it.
struct Proxy {
  std::string host;  // empty: none
  uint16_t port = 0;
  std::string authorization;  // value of Proxy-Authorization, or empty
  std::vector<std::string>
      no_proxy;  // hosts and domain suffixes that are reached directly; "*": all
  bool applies_to(const Origin& origin) const;
};

// "http://user:password@host:port" and a NO_PROXY list. Errors: invalid_request.
Result<Proxy> parse_proxy(std::string_view url, std::string_view no_proxy);

}  // namespace deeppool::http
