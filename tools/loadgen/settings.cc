#include "loadgen/settings.h"

#include <arpa/inet.h>

#include "base/text.h"

namespace deeppool::load {

Result<Target> parse_url(const std::string& url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return Error::invalid("url", "only http:// is supported");
  const std::string rest = url.substr(kScheme.size());
  const size_t slash = rest.find('/');
  Target target;
  target.host = rest.substr(0, slash);
  target.path = slash == std::string::npos ? "/" : rest.substr(slash);
  const size_t colon = target.host.find(':');
  std::string ip = target.host.substr(0, colon);
  if (ip == "localhost") ip = "127.0.0.1";
  const std::string port = colon == std::string::npos ? "80" : target.host.substr(colon + 1);
  const auto number = base::parse_int<uint16_t>(port);
  target.address.sin_family = AF_INET;
  if (!number || inet_pton(AF_INET, ip.c_str(), &target.address.sin_addr) != 1) {
    return Error::invalid("url", "wanted: http://IPV4:PORT/PATH");
  }
  target.address.sin_port = htons(*number);
  return target;
}

}  // namespace deeppool::load
