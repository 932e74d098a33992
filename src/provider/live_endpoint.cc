#include "provider/live_endpoint.h"

#include "provider/base_url.h"

namespace deeppool::provider {

Result<Endpoint> live_endpoint(const endpoints::StoredEndpoint& stored, std::string api_key) {
  Endpoint e;
  DP_TRY(BaseUrl url, parse_base_url(stored.endpoint));
  e.api_key = std::move(api_key);
  e.id = stored.id;
  e.name = stored.name;
  e.provider_type = stored.provider_type;
  e.base_url = stored.endpoint;
  e.tls = url.tls;
  e.host = std::move(url.host);
  e.port = url.port;
  e.path_prefix = std::move(url.path_prefix);
  e.ca_file = stored.ca_file;
  e.upstream_model = stored.upstream_model;
  e.weight = stored.weight;
  e.priority = stored.priority;
  e.max_inflight = stored.max_inflight;
  e.api_version = stored.api_version;
  e.prefix_continuation = stored.prefix_continuation;
  e.param_policy = stored.param_policy == "refuse" ? ParamPolicy::refuse : ParamPolicy::drop;
  e.health = std::make_shared<EndpointHealth>();
  return e;
}

}  // namespace deeppool::provider
