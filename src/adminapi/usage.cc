#include "adminapi/usage.h"

#include "webapi/limits.h"
#include "webapi/usage_views.h"

namespace deeppool::adminapi {

std::vector<http::Route> usage_routes(const Admin& admin) {
  const webapi::UsageViews all{admin.services, admin.usage, webapi::Audience::admin};
  using http::Access;
  using http::Method;
  using webapi::kMaxBody;
  return {
      {Method::get, "/api/v1/admin/usage/summary", Access::admin, kMaxBody,
       webapi::usage_summary(all)},
      {Method::get, "/api/v1/admin/usage/consumption", Access::admin, kMaxBody,
       webapi::usage_consumption(all)},
      {Method::get, "/api/v1/admin/usage/requests", Access::admin, kMaxBody,
       webapi::usage_requests(all)},
  };
}

}  // namespace deeppool::adminapi
