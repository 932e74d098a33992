#include "portalapi/public_url.h"

#include "base/text.h"
#include "http/client/address_class.h"
#include "provider/base_url.h"

namespace deeppool::portalapi {

Result<void> check_public_url(std::string_view field, const std::string& text, http::Reach reach) {
  const auto bad = [field](std::string_view why) {
    return Error::invalid(std::string(field), "`" + std::string(field) + "` " + std::string(why));
  };
  const auto url = provider::parse_base_url(text);
  if (!url) return bad("must be an address like https://example.com/path, without a query.");
  if (reach == http::Reach::anywhere) return {};
  if (!url->tls) return bad("must begin with https://.");
  const auto literal = async::Address::from_ip(url->host, url->port);
  const bool local = base::iequals(url->host, "localhost") || url->host.ends_with(".localhost");
  if (local || (literal && !http::is_public(*literal))) {
    return bad("must lead to the public internet.");
  }
  return {};
}

}  // namespace deeppool::portalapi
