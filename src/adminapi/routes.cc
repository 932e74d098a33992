#include "adminapi/routes.h"

#include <algorithm>
#include <iterator>

#include "adminapi/billing.h"
#include "adminapi/discounts.h"
#include "adminapi/endpoints.h"
#include "adminapi/models.h"
#include "adminapi/platform.h"
#include "adminapi/provider_setup.h"
#include "adminapi/token_grants.h"
#include "adminapi/usage.h"
#include "adminapi/users.h"

namespace deeppool::adminapi {

std::vector<http::Route> routes(const Admin& admin) {
  std::vector<http::Route> all = platform_routes(admin);
  for (auto more : {user_routes, billing_routes, token_grant_routes, discount_routes, model_routes,
                    endpoint_routes, provider_setup_routes, usage_routes}) {
    std::ranges::move(more(admin), std::back_inserter(all));
  }
  return all;
}

}  // namespace deeppool::adminapi
