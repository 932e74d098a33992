// LoopThread: one event loop on its own thread, with everything that lives on that loop: the
// upstream client, the spool writer, the server. Built and destroyed on the main thread, used on
// its own in between.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "apps/platform/shared_limits.h"
#include "async/loop.h"
#include "async/task_group.h"
#include "gateway/call.h"
#include "gateway/idempotent.h"
#include "http/client/client.h"
#include "http/middleware/access_log.h"
#include "http/middleware/stack.h"
#include "http/server/server.h"
#include "metrics/metrics.h"

namespace deeppool::platform {

// What loops share; all of it outlives them.
struct SharedParts {
  const base::Clock& clock;
  base::Random& random;
  const identity::KeyDirectory& keys;
  const provider::CatalogDirectory& catalog;
  const routing::Router& router;
  const provider::Adapters& adapters;
  const llm::Tokenizers& tokenizers;
  ratelimit::Limiter& limiter;
  ratelimit::InflightLimiter& inflight;
  governance::Funds& funds;
  governance::Spool& spool;
  provider::ShareBudget& retries;
  async::BlockingPool& lookups;
  http::TlsContexts& tls_contexts;
  const http::Proxy& proxy;
  http::Reach fetch_reach;  // of URLs that callers choose
  http::Reach users_reach;  // of endpoints that users entered
  gateway::StreamTimeouts timeouts;
  metrics::Metrics& metrics;
  async::BlockingPool& log_pool;
  http::AccessLogSink& access_log;
  const http::TrustedProxies& trusted_proxies;
  gateway::IdempotencyDesk& idempotency;
  RedisParts* redis = nullptr;  // null: limits are this process's own
};

class LoopThread {
 public:
  // `routes` builds this loop's table. `hooks` are those that all loops share; the loop adds its
  // own.
  using RoutesOf = std::function<std::vector<http::Route>(gateway::Parts&)>;
  LoopThread(size_t index, SharedParts& shared, const RoutesOf& routes, http::ServerHooks hooks,
             http::ServerSettings settings);
  ~LoopThread();

  // Opens the port, then runs. Errors: as http::Server::listen.
  Result<void> start(const async::Address& address);
  // Drains within `grace`, then ends the thread. Returns at once; join() waits.
  void stop(base::Duration grace);
  void join();
  size_t connections() const { return server_.connections(); }
  void post(std::function<void()> fn) { loop_.post(std::move(fn)); }
  // What follows is for this loop's thread: use post().
  http::Server& server() { return server_; }
  void set_timeouts(gateway::StreamTimeouts timeouts) { parts_.timeouts = timeouts; }
  async::TaskGroup& background() { return background_; }

 private:
  Task<void> wind_down(base::Duration grace);

  async::Loop loop_;
  async::TaskGroup background_;
  http::Client client_;
  http::Client fetcher_;
  http::Client users_client_;
  std::unique_ptr<SharedLimits> shared_limits_;  // null without Redis
  std::unique_ptr<governance::SpoolWriter> writer_;
  gateway::Parts parts_;
  http::AccessLog access_log_;
  http::Stack stack_;
  http::ServerHooks hooks_;
  http::Router router_;
  http::Server server_;
  async::TaskGroup control_;
  std::thread thread_;
};

}  // namespace deeppool::platform
