#include "apps/platform/metrics_endpoint.h"

#include <array>

#include "apps/platform/limits.h"
#include "crypto/hash.h"
#include "http/middleware/trusted_proxies.h"
#include "http/server/exchange.h"

namespace deeppool::platform {
namespace {

using http::Exchange;

constexpr std::string_view kBearer = "Bearer ";

// A proxy on this machine makes strangers look local; these fields give it away.
bool forwarded(const Exchange& x) {
  static constexpr std::array<std::string_view, 4> kFields = {"x-forwarded-for", "forwarded",
                                                              "x-real-ip", "via"};
  for (const std::string_view field : kFields) {
    if (x.head.headers.find(field)) return true;
  }
  return false;
}

bool has_token(const Exchange& x, std::string_view token) {
  const auto given = x.head.headers.find("authorization");
  return given && given->starts_with(kBearer) &&
         crypto::constant_time_equal(given->substr(kBearer.size()), token);
}

Task<void> refuse(Exchange& x, std::string_view token) {
  if (!token.empty()) x.add_header("WWW-Authenticate", "Bearer");
  const int status = token.empty() ? 403 : 401;
  const std::string_view text = token.empty()
                                    ? "Set metrics.token to scrape from another machine.\n"
                                    : "The bearer token of metrics.token is required.\n";
  Result<void> sent = co_await x.send(status, "text/plain", text);  // or nobody is there
}

Task<void> serve(Exchange& x, const metrics::Metrics& metrics, async::BlockingPool& pool,
                 std::string_view token) {
  const bool local = http::is_loopback(x.peer_ip) && !forwarded(x);
  if (token.empty() ? !local : !has_token(x, token)) {
    co_await refuse(x, token);
    co_return;
  }
  auto job = [&metrics]() -> Result<std::string> { return metrics.scrape(); };
  const base::Deadline deadline{std::chrono::steady_clock::now() + kScrapeTimeout};
  Result<std::string> text = co_await pool.run(std::move(job), deadline);
  if (!text) {
    Result<void> sent = co_await x.send(503, "text/plain", "Busy; try again.\n");
    co_return;
  }
  Result<void> sent = co_await x.send(200, metrics::kContentType, *text);  // or nobody is there
}

}  // namespace

http::Route metrics_route(const metrics::Metrics& metrics, async::BlockingPool& pool,
                          const std::string& token) {
  const http::Handler handler = [&metrics, &pool, token](Exchange& x) {
    return serve(x, metrics, pool, token);
  };
  return {http::Method::get, "/metrics", http::Access::anyone, 0, handler};
}

}  // namespace deeppool::platform
