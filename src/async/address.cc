#include "async/address.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <cstring>

#include "base/text.h"

namespace deeppool::async {

Result<Address> Address::from_ip(std::string_view host, uint16_t port) {
  Address a;
  const std::string text(host);
  auto* v4 = reinterpret_cast<sockaddr_in*>(&a.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&a.storage);
  if (inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    a.length = sizeof *v4;
  } else if (inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    a.length = sizeof *v6;
  } else {
    return Error(ErrorCode::invalid_request, "'" + text + "' is not an IP address");
  }
  return a;
}

Result<Address> Address::parse_listen(std::string_view text) {
  const size_t colon = text.rfind(':');
  const auto port = colon == std::string_view::npos
                        ? std::nullopt
                        : base::parse_int<uint16_t>(text.substr(colon + 1));
  if (!port) {
    return Error(ErrorCode::invalid_request,
                 "expected host:port or :port, for example ':8080' or '127.0.0.1:8080'");
  }
  std::string_view host = text.substr(0, colon);
  if (host.empty()) return from_ip("0.0.0.0", *port);
  if (host == "localhost") return from_ip("127.0.0.1", *port);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return from_ip(host, *port);
}

std::string Address::ip() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr, text,
              sizeof text);
  } else if (storage.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr, text,
              sizeof text);
  }
  return text;
}

uint16_t Address::port() const {
  if (storage.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

Result<std::vector<Address>> resolve(const std::string& host, uint16_t port) {
  if (auto literal = Address::from_ip(host, port); literal) {
    return std::vector<Address>{*literal};
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int rc = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (rc != 0) {
    return Error(ErrorCode::upstream_failed, "The upstream's host name could not be resolved.",
                 "lookup of '" + host + "': " + gai_strerror(rc));
  }
  std::vector<Address> out;
  for (const addrinfo* ai = found; ai != nullptr; ai = ai->ai_next) {
    Address a;
    std::memcpy(&a.storage, ai->ai_addr, ai->ai_addrlen);
    a.length = ai->ai_addrlen;
    if (ai->ai_family == AF_INET)
      reinterpret_cast<sockaddr_in*>(&a.storage)->sin_port = htons(port);
    if (ai->ai_family == AF_INET6) {
      reinterpret_cast<sockaddr_in6*>(&a.storage)->sin6_port = htons(port);
    }
    out.push_back(a);
  }
  freeaddrinfo(found);
  return out;
}

}  // namespace deeppool::async
