#include "http/middleware/stack.h"

#include <algorithm>

#include "http/limits.h"

namespace deeppool::http {
namespace {

constexpr std::string_view kExposed =
    "x-request-id, request-id, retry-after, retry-after-ms, x-should-retry, "
    "x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, "
    "x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens, "
    "X-DeepPool-Backend, X-DeepPool-Model-Name, X-DeepPool-Provider-Type, X-DeepPool-Route-Target, "
    "X-DeepPool-Dropped-Params, x-deeppool-cost, x-deeppool-idempotent-replay, "
    "x-deeppool-original-request-id";

// SDKs send a dozen headers of their own, so the preflight gets back the names it asked for; the
// parser has already refused control characters in them.
Task<bool> answer_preflight(Exchange& x) {
  const auto method = x.head.headers.find("access-control-request-method");
  if (x.head.method != Method::options || !method) co_return false;
  const auto names = x.head.headers.find("access-control-request-headers");
  x.add_header("Access-Control-Allow-Methods", "GET, POST");
  if (names && names->size() <= kMaxPreflightHeaders) {
    x.add_header("Access-Control-Allow-Headers", *names);
  }
  x.add_header("Access-Control-Max-Age", kPreflightAge.count());
  x.add_header("Vary", "Access-Control-Request-Headers");
  Result<void> sent = co_await x.send(204, "", "");  // or nobody is there
  co_return true;
}

// The routes of /v1 that are there without the prefix as well.
constexpr std::string_view kWithoutPrefix[] = {"chat",      "completions", "embeddings",
                                               "responses", "messages",    "models"};

}  // namespace

bool open_to_browsers(std::string_view path) {
  if (path.starts_with("/v1/")) return true;
  if (path.empty()) return false;  // of a head that could not be read
  const std::string_view first = path.substr(1, path.find('/', 1) - 1);
  return std::ranges::find(kWithoutPrefix, first) != std::end(kWithoutPrefix);
}

void Stack::install(ServerHooks& hooks) {
  hooks.before = [this](Exchange& x) { return before(x); };
  hooks.after = [this](const Exchange& x, const Route* route) { after(x, route); };
}

// There is no entry for TRACE and CONNECT: no route has them, so TRACE ends as 405 or 404, and
// CONNECT's target is not a path, which the parser refuses.
Task<bool> Stack::before(Exchange& x) {
  parts_.metrics.inflight.add(1);

  // Ids, on every answer under the names that OpenAI's and Anthropic's SDKs read. Always our own: a
  // caller's id would let it write what it likes into our log.
  x.id = base::RequestId::make(parts_.clock, parts_.random);
  const auto spelled = x.id.spell();
  const std::string_view id(spelled.data(), spelled.size());
  x.add_header("x-request-id", id);
  x.add_header("request-id", id);

  // The caller's trace goes on through us; the answer names it, so that both sides find it.
  x.trace = TraceContext::from_header(x.head.headers.find("traceparent"), parts_.random);
  x.add_header("traceresponse", std::string_view(x.trace.child(parts_.random)));

  // Limits and logs go by the caller's address, not by the load balancer's.
  x.peer_ip = parts_.proxies.client_ip(x.peer_ip, x.head.headers);

  // No browser may guess that JSON or an event stream is a page.
  x.add_header("X-Content-Type-Options", "nosniff");

  if (!open_to_browsers(x.path()) || !x.head.headers.find("origin")) co_return false;
  x.add_header("Access-Control-Allow-Origin", "*");
  x.add_header("Access-Control-Expose-Headers", kExposed);
  const bool answered = co_await answer_preflight(x);
  co_return answered;
}

void Stack::after(const Exchange& x, const Route* route) {
  parts_.metrics.inflight.add(-1);
  const std::string_view name = route == nullptr ? std::string_view("none") : route->pattern;
  metrics::RouteSeries& series = parts_.metrics.routes.with({name});
  series.by_status_class[metrics::status_class(x.status())].add();
  series.duration.observe(parts_.clock.now() - x.started);
  parts_.access_log.add(x, route);
}

}  // namespace deeppool::http
