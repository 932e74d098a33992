#include "jobs/alert_job.h"

#include "async/task_group.h"
#include "base/log.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "governance/alerts/alert_store.h"
#include "governance/alerts/alert_watch.h"
#include "governance/alerts/delivery.h"
#include "governance/alerts/limits.h"
#include "provider/base_url.h"

namespace deeppool::jobs {
namespace {

namespace alerts = governance::alerts;
using alerts::Delivery;
using alerts::Targets;

constexpr std::chrono::seconds kSqlDeadline{60};

base::Deadline within(base::Duration time) {
  return {async::Loop::current().now() + time};
}

int64_t now_ms(const AlertParts& parts) {
  return base::unix_ms(parts.clock.wall());
}

http::Reach reach_of(Targets targets) {
  return targets == Targets::anywhere ? http::Reach::anywhere : http::Reach::public_only;
}

struct Outgoing {
  http::Origin origin;
  std::string head;
  std::string body;
};

Result<Outgoing> outgoing(const AlertParts& parts, const Delivery& d) {
  DP_TRY(const provider::BaseUrl url, provider::parse_base_url(d.url));
  if (!url.tls && parts.targets != Targets::anywhere) {
    return Error(ErrorCode::invalid_request, "The webhook is not https.");
  }
  DP_TRY(const std::string secret,
         parts.sealer.open(alerts::secret_place(d.alert.user), d.secret_sealed));
  Outgoing out{{url.tls, url.host, url.port, ""}, "", alerts::alert_json(d.alert)};
  const bool v6 = url.host.find(':') != std::string::npos;
  out.head =
      "POST " + (url.path_prefix.empty() ? std::string("/") : url.path_prefix) +
      " HTTP/1.1\r\nHost: " + (v6 ? "[" + url.host + "]" : url.host) + ":" +
      std::to_string(url.port) +
      "\r\nContent-Type: application/json\r\nUser-Agent: DeepPool\r\nX-DeepPool-Event: " +
      (d.alert.kind == alerts::Kind::test ? "alert.test" : "alert.raised") +
      "\r\nX-DeepPool-Signature: " + webhook_signature(secret, now_ms(parts) / 1000, out.body) +
      "\r\nContent-Length: " + std::to_string(out.body.size()) + "\r\n\r\n";
  return out;
}

// 2xx, and nothing else: a redirect is an answer like any other that is not a yes.
Task<Result<void>> post(http::Client& client, const Outgoing& out, async::CancelScope& scope) {
  const std::string_view body = out.body;
  const http::OutgoingRequest request{http::Method::post, out.head, {&body, 1}};
  Result<std::unique_ptr<http::Reply>> reply =
      co_await client.request(out.origin, request, within(alerts::kAttemptTimeout), scope);
  if (!reply) co_return std::move(reply).error();
  const int status = (*reply)->head().status;
  if (status / 100 == 2) co_return Result<void>();
  co_return Error(ErrorCode::upstream_failed, "The webhook did not take the alert.",
                  "status " + std::to_string(status));
}

Task<void> deliver(const AlertParts& parts, http::Client& client, async::CancelScope& scope,
                   Delivery d) {
  Result<Outgoing> out = outgoing(parts, d);
  Result<void> sent;
  if (out) {
    sent = co_await post(client, *out, scope);
  } else {
    sent = std::move(out).error();
  }
  if (!sent) {
    log::info(
        "an alert could not be sent",
        {{"alert", d.alert.id.value}, {"attempt", d.attempt}, {"reason", sent.error().message}});
  }
  const bool ok = sent.ok();
  const int64_t now = now_ms(parts);
  auto note = [&database = parts.database, d = std::move(d), ok, now] {
    return ok ? alerts::note_sent(database, d.alert.id) : alerts::note_failed(database, d, now);
  };
  // What cannot be noted is claimed again when its time is over: sent twice rather than never.
  Result<void> noted = co_await parts.pool.run(std::move(note), within(kSqlDeadline));
  if (!noted) log::warn("an alert's delivery was not noted", {{"detail", noted.error().detail}});
}

using Due = std::vector<Delivery>;

Task<Result<Due>> look(const AlertParts& parts) {
  const int64_t now = now_ms(parts);
  auto job = [&database = parts.database, now]() -> Result<Due> {
    DP_CHECK(alerts::look_at_rules(database, now));
    return alerts::claim_due(database, now, alerts::kMaxSending);
  };
  Result<Due> due = co_await parts.pool.run(std::move(job), within(kSqlDeadline));
  co_return due;
}

}  // namespace

std::string webhook_signature(std::string_view secret, int64_t unix_seconds,
                              std::string_view body) {
  const std::string time = std::to_string(unix_seconds);
  const auto digest = crypto::hmac_sha256(secret, time + "." + std::string(body));
  return "t=" + time + ",v1=" + base::hex_encode(crypto::bytes_of(digest));
}

Task<void> alert_pass(const AlertParts& parts, http::Client& client, async::CancelScope& scope) {
  Result<Due> due = co_await look(parts);
  if (!due) {
    log::warn("alert rules were not looked at",
              {{"reason", due.error().message}, {"detail", due.error().detail}});
    co_return;
  }
  async::TaskGroup sending(async::Loop::current());
  for (Delivery& d : *due) sending.spawn(deliver(parts, client, scope, std::move(d)));
  const bool done = co_await sending.join(base::Deadline{base::Instant::max()});
  (void)done;  // each of them has its own deadline
}

Task<void> watch_alerts(AlertParts parts, JobLease lease, async::CancelScope& scope) {
  http::Client client(async::Loop::current(), parts.lookups, parts.contexts, parts.proxy,
                      reach_of(parts.targets));
  while (true) {
    const bool waited = co_await async::sleep_for(alerts::kPassInterval, scope);
    if (!waited) co_return;
    Result<bool> ours =
        co_await parts.pool.run([lease] { return lease.hold(); }, within(kSqlDeadline));
    if (!ours) {
      log::warn("alert rules were not looked at", {{"reason", ours.error().message}});
    } else if (*ours) {
      co_await alert_pass(parts, client, scope);
    }
  }
}

}  // namespace deeppool::jobs
