#include "jobs/endpoint_probe.h"

#include "async/task_group.h"
#include "base/log.h"
#include "provider/failure.h"
#include "setup/model_list.h"

namespace deeppool::jobs {
namespace {

using provider::Endpoint;
using provider::Fault;
using EndpointPointer = std::shared_ptr<const Endpoint>;

struct Look {
  std::optional<Fault> fault;  // none: it lives
  std::optional<base::Duration> retry_after;
};

// Only what says that the server, or our account there, does not serve us. A server without a list
// of models answers 404 and lives all the same.
Look look_at(const http::ResponseHead& head, const base::Clock& clock) {
  const bool limited = head.status == 429;
  const bool refuses = head.status == 401 || head.status == 402 || head.status == 403;
  if (!limited && !refuses && head.status < 500) return {};
  const provider::Failure failure = provider::failure_of_status(
      head.status, head.headers.find("retry-after"), std::nullopt, clock);
  return {failure.fault, failure.error.retry_after};
}

Task<void> probe(const ProbeParts& parts, http::Client& client, async::CancelScope& scope,
                 EndpointPointer endpoint) {
  provider::EndpointHealth::Entry entry = endpoint->health->enter(0, parts.clock.now());
  if (!entry.slot) co_return;
  const http::Origin origin{endpoint->tls, endpoint->host, endpoint->port, endpoint->ca_file};
  const std::string head = setup::model_list_head(*endpoint);
  const base::Deadline deadline{async::Loop::current().now() + kProbeTimeout};
  Result<std::unique_ptr<http::Reply>> reply =
      co_await client.request(origin, {http::Method::get, head, {}}, deadline, scope);
  const base::Instant now = parts.clock.now();
  Look look;
  if (reply) {
    look = look_at((*reply)->head(), parts.clock);
  } else if (reply.error().code == ErrorCode::timeout) {
    look.fault = Fault::timeout;
  } else if (reply.error().code == ErrorCode::upstream_failed) {
    look.fault = Fault::connect;
  } else {
    co_return;  // cancelled, or the client is full: nothing was learned
  }
  if (look.fault) {
    std::optional<base::Duration> wait = look.retry_after;
    if (wait) wait = std::min<base::Duration>(*wait, provider::kUsualRetryAfter);
    entry.slot.failed(*look.fault, wait, now, parts.random);
    co_return;
  }
  entry.slot.lives(now);
  if (endpoint->health->healthy()) {
    log::info("an endpoint lives again and is readmitted", {{"endpoint", endpoint->name}});
  }
}

}  // namespace

Task<void> probe_pass(const ProbeParts& parts, http::Client& client, async::CancelScope& scope) {
  const auto catalog = parts.catalog.current();
  const base::Instant now = parts.clock.now();
  async::TaskGroup probes(async::Loop::current());
  for (const EndpointPointer& endpoint : catalog->endpoints()) {
    if (probes.size() == kMaxProbes) break;
    if (endpoint->health->wants_probe(now)) probes.spawn(probe(parts, client, scope, endpoint));
  }
  const bool done = co_await probes.join(base::Deadline{base::Instant::max()});
  (void)done;  // each of them has its own deadline
}

Task<void> probe_endpoints(ProbeParts parts, async::CancelScope& scope) {
  http::Client client(async::Loop::current(), parts.lookups, parts.contexts, parts.proxy);
  while (true) {
    const bool waited = co_await async::sleep_for(kProbeInterval, scope);
    if (!waited) co_return;
    co_await probe_pass(parts, client, scope);
  }
}

}  // namespace deeppool::jobs
