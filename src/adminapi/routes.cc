#include "adminapi/routes.h"

#include <algorithm>
#include <iterator>

#include "adminapi/endpoints.h"
#include "adminapi/models.h"
#include "adminapi/platform.h"
#include "adminapi/users.h"

namespace deeppool::adminapi {

std::vector<http::Route> routes(const Admin& admin) {
  std::vector<http::Route> all = platform_routes(admin);
  for (auto more : {user_routes, model_routes, endpoint_routes}) {
    std::ranges::move(more(admin), std::back_inserter(all));
  }
  return all;
}

}  // namespace deeppool::adminapi
