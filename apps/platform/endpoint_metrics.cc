#include "apps/platform/endpoint_metrics.h"

#include <algorithm>
#include <vector>

#include "metrics/limits.h"

namespace deeppool::platform {
namespace {

using metrics::Exposition;
using provider::EndpointHealth;
using provider::Standing;

struct Seen {
  const provider::Endpoint* endpoint;
  EndpointHealth::View view;
};
using Figure = double (*)(const EndpointHealth::View&);
struct Family {
  const char* name;
  const char* help;
  Exposition::Type type;
  Figure figure;
};

constexpr Family kFamilies[] = {
    {"deeppool_endpoint_healthy", "1 while requests go there, 0 while ejected or on probation.",
     Exposition::Type::gauge,
     [](const EndpointHealth::View& v) { return v.standing == Standing::healthy ? 1.0 : 0.0; }},
    {"deeppool_endpoint_inflight", "Requests at the endpoint.", Exposition::Type::gauge,
     [](const EndpointHealth::View& v) { return static_cast<double>(v.inflight); }},
    {"deeppool_endpoint_error_ratio", "Share of failures in the last 10 seconds.",
     Exposition::Type::gauge, [](const EndpointHealth::View& v) { return v.error_rate; }},
    {"deeppool_endpoint_latency_seconds", "Until an answer begins; peaks count at once and fade.",
     Exposition::Type::gauge,
     [](const EndpointHealth::View& v) {
       return std::chrono::duration<double>(v.latency).count();
     }},
    {"deeppool_endpoint_ejections_total", "Ejections since the start.", Exposition::Type::counter,
     [](const EndpointHealth::View& v) { return static_cast<double>(v.ejections); }},
};

}  // namespace

void write_endpoint_metrics(Exposition& out, const provider::Catalog& catalog, base::Instant now) {
  std::vector<Seen> seen;
  const size_t shown = std::min(catalog.endpoints().size(), metrics::kMaxSeries);
  for (size_t i = 0; i < shown; ++i) {
    const provider::Endpoint& endpoint = *catalog.endpoints()[i];
    seen.push_back({&endpoint, endpoint.health->view(now)});
  }
  for (const Family& family : kFamilies) {
    out.family(family.name, family.type, family.help);
    for (const Seen& s : seen) {
      const metrics::Label labels[] = {{"endpoint", s.endpoint->name},
                                       {"provider", s.endpoint->provider_type}};
      out.sample(labels, family.figure(s.view));
    }
  }
}

}  // namespace deeppool::platform
