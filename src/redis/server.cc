#include "redis/server.h"

#include "base/text.h"

namespace deeppool::redis {
namespace {

Error wrong(const char* what) {
  return Error(ErrorCode::invalid_request,
               std::string("a Redis URL looks like redis://user:password@host:6379/0; ") + what);
}

Result<void> take_login(std::string_view login, Server& server) {
  const size_t colon = login.find(':');
  if (colon == std::string_view::npos) return wrong("before '@' there must be a password");
  const auto user = base::percent_decode(login.substr(0, colon));
  const auto password = base::percent_decode(login.substr(colon + 1));
  if (!user || !password) return wrong("user and password are percent-encoded");
  if (password->empty()) return wrong("the password is empty");
  server.user = *user;
  server.password = *password;
  return {};
}

Result<void> take_address(std::string_view text, Server& server) {
  std::string_view port;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return wrong("an IPv6 address ends with ']'");
    server.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
  } else {
    const size_t colon = std::min(text.find(':'), text.size());
    server.host = text.substr(0, colon);
    port = text.substr(colon);
  }
  if (server.host.empty()) return wrong("the host is missing");
  if (port.empty()) return {};
  const auto number = base::parse_int<uint16_t>(port.substr(1));
  if (port.front() != ':' || !number || *number == 0) return wrong("the port is not a number");
  server.port = *number;
  return {};
}

}  // namespace

Result<Server> parse_url(std::string_view url) {
  Server server;
  if (url.starts_with("redis://")) {
    url.remove_prefix(8);
  } else if (url.starts_with("rediss://")) {
    url.remove_prefix(9);
    server.security = Server::Security::tls;
  } else {
    return wrong("it starts with redis:// or rediss://");
  }
  if (const size_t at = url.rfind('@'); at != std::string_view::npos) {
    DP_CHECK(take_login(url.substr(0, at), server));
    url.remove_prefix(at + 1);
  }
  if (const size_t slash = url.find('/'); slash != std::string_view::npos) {
    const std::string_view name = url.substr(slash + 1);
    const auto number = name.empty() ? int64_t{0} : base::parse_int<int64_t>(name).value_or(-1);
    if (number < 0 || number > 65535) return wrong("after '/' comes the number of a database");
    server.database = number;
    url = url.substr(0, slash);
  }
  DP_CHECK(take_address(url, server));
  return server;
}

}  // namespace deeppool::redis
