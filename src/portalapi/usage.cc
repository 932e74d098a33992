#include "portalapi/usage.h"

#include "webapi/limits.h"
#include "webapi/usage_views.h"

namespace deeppool::portalapi {

std::vector<http::Route> usage_routes(const Portal& p) {
  const webapi::UsageViews own{p.services, p.usage, webapi::Audience::user};
  using http::Access;
  using http::Method;
  using webapi::kMaxBody;
  return {
      {Method::get, "/api/v1/usage/summary", Access::user, kMaxBody, webapi::usage_summary(own)},
      {Method::get, "/api/v1/usage/consumption", Access::user, kMaxBody,
       webapi::usage_consumption(own)},
      {Method::get, "/api/v1/usage/requests", Access::user, kMaxBody, webapi::usage_requests(own)},
  };
}

}  // namespace deeppool::portalapi
