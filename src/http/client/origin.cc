#include "http/client/origin.h"

#include "base/text.h"

namespace deeppool::http {

bool Proxy::applies_to(const Origin& origin) const {
  if (host.empty() || !origin.tls) return false;
  for (const std::string& entry : no_proxy) {
    if (entry == "*" || base::iequals(entry, origin.host)) return false;
    // "example.com" and ".example.com" both mean the domain and what is below it.
    const std::string suffix = entry.starts_with('.') ? entry : "." + entry;
    if (origin.host.size() > suffix.size() &&
        base::iequals(std::string_view(origin.host).substr(origin.host.size() - suffix.size()),
                      suffix)) {
      return false;
    }
  }
  return true;
}

Result<Proxy> parse_proxy(std::string_view url, std::string_view no_proxy) {
  Proxy proxy;
  for (const std::string_view entry : base::split(no_proxy, ',')) {
    if (!base::trim(entry).empty()) proxy.no_proxy.emplace_back(base::trim(entry));
  }
  if (url.empty()) return proxy;
  if (url.starts_with("http://")) url.remove_prefix(7);
  if (url.find("://") != std::string_view::npos) {
    return Error::invalid("HTTPS_PROXY", "the proxy must be given as http://host:port");
  }
  if (url.ends_with('/')) url.remove_suffix(1);
  if (const size_t at = url.rfind('@'); at != std::string_view::npos) {
    const auto user = base::percent_decode(url.substr(0, at));
    if (!user) return Error::invalid("HTTPS_PROXY", "the proxy's user has a bad escape");
    proxy.authorization = "Basic " + base::base64_encode(*user);
    url.remove_prefix(at + 1);
  }
  const size_t colon = url.rfind(':');
  const auto port = colon == std::string_view::npos
                        ? std::optional<uint16_t>(80)
                        : base::parse_int<uint16_t>(url.substr(colon + 1));
  if (!port || url.substr(0, colon).empty()) {
    return Error::invalid("HTTPS_PROXY", "the proxy must be given as http://host:port");
  }
  proxy.host = url.substr(0, colon);
  proxy.port = *port;
  return proxy;
}

}  // namespace deeppool::http
