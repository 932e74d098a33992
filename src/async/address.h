// Where to connect or listen: an IP address and port, and the text forms that users write.
#pragma once

#include <netinet/in.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace deeppool::async {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  // ":8080" (every interface), "127.0.0.1:8080", "[::1]:8080", "localhost:8080". No name lookup but
  // localhost.
  static Result<Address> parse_listen(std::string_view text);
  // The host is an IP literal.
  static Result<Address> from_ip(std::string_view host, uint16_t port);
  std::string ip() const;
  uint16_t port() const;
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// Name lookup; blocks, so run it on a BlockingPool. Errors: upstream_failed.
Result<std::vector<Address>> resolve(const std::string& host, uint16_t port);

}  // namespace deeppool::async
