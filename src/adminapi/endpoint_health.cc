#include "adminapi/endpoint_health.h"

namespace deeppool::adminapi {
namespace {

using provider::EndpointHealth;
using provider::Standing;

}  // namespace

boost::json::value health_json(const Admin& admin, base::EndpointId id) {
  const auto catalog = admin.catalog.current();
  const provider::Endpoint* endpoint = catalog->find_endpoint(id);
  if (endpoint == nullptr) return nullptr;
  const base::Clock& clock = admin.services.clock;
  const base::Instant now = clock.now();
  const EndpointHealth::View v = endpoint->health->view(now);
  const auto at_wall = [&](base::Instant t) { return base::unix_ms(clock.wall() + (t - now)); };
  boost::json::object out{
      {"state", provider::to_string(v.standing)},
      {"told_to_wait", v.told_to_wait},
      {"ejected_until", nullptr},
      {"consecutive_failures", v.consecutive_failures},
      {"recent_requests", v.recent_requests},
      {"error_rate", v.error_rate},
      {"latency_us", std::chrono::duration_cast<std::chrono::microseconds>(v.latency).count()},
      {"inflight", v.inflight},
      {"ejections", v.ejections},
      {"last_error", nullptr},
      {"last_error_at", nullptr}};
  if (v.standing == Standing::ejected) out["ejected_until"] = at_wall(v.until);
  if (v.last_fault) {
    out["last_error"] = provider::to_string(*v.last_fault);
    out["last_error_at"] = at_wall(v.last_fault_at);
  }
  return out;
}

}  // namespace deeppool::adminapi
