// Where a Redis server is and who we are there, as redis.url says it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace deeppool::redis {

struct Server {
  enum class Security { plain, tls };
  Security security = Security::plain;
  std::string host;
  uint16_t port = 6379;
  std::string user;  // empty: the default user
  std::string password;
  int64_t database = 0;
};

// redis://[[user]:password@]host[:port][/database], or rediss:// for TLS; user and password
// percent-encoded, an IPv6 address in brackets. invalid_request: the message never repeats the
// text, which may hold a password.
Result<Server> parse_url(std::string_view url);

}  // namespace deeppool::redis
