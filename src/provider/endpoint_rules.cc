#include "provider/endpoint_rules.h"

#include "provider/base_url.h"
#include "provider/catalog.h"

namespace deeppool::provider {

Result<void> check_provider_type(std::string_view type) {
  std::string known;
  for (const std::string_view name : kProviderTypes) {
    if (type == name) return {};
    known += (known.empty() ? "\"" : ", \"") + std::string(name) + "\"";
  }
  return Error::invalid("provider_type", "`provider_type` must be one of " + known + ".");
}

Result<void> check_upstream_key(std::string_view key) {
  for (const char c : key) {
    if (c > 0x20 && c < 0x7f) continue;
    return Error::invalid("api_key",
                          "`api_key` must be visible ASCII characters without white space.");
  }
  return {};
}

bool same_server(std::string_view url, std::string_view other) {
  const auto a = parse_base_url(url);
  const auto b = parse_base_url(other);
  return a && b && a->tls == b->tls && a->host == b->host && a->port == b->port;
}

}  // namespace deeppool::provider
