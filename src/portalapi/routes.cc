#include "portalapi/routes.h"

#include <algorithm>
#include <iterator>

#include "portalapi/accounts.h"
#include "portalapi/alerts.h"
#include "portalapi/api_keys.h"
#include "portalapi/custom_models.h"
#include "portalapi/explain.h"
#include "portalapi/public_models.h"
#include "portalapi/usage.h"
#include "portalapi/wallet.h"

namespace deeppool::portalapi {

std::vector<http::Route> routes(const Portal& portal) {
  std::vector<http::Route> all = account_routes(portal);
  for (auto more : {api_key_routes, custom_model_routes, explain_routes, public_model_routes,
                    usage_routes, wallet_routes, alert_routes}) {
    std::ranges::move(more(portal), std::back_inserter(all));
  }
  return all;
}

}  // namespace deeppool::portalapi
