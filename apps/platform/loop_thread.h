// LoopThread: one event loop on its own thread, with everything that lives on that loop: the
// upstream client, the spool writer, the server. Built and destroyed on the main thread, used on
// its own in between.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "async/loop.h"
#include "async/task_group.h"
#include "gateway/call.h"
#include "http/client/client.h"
#include "http/server/server.h"

namespace deeppool::platform {

// What loops share; all of it outlives them.
struct SharedParts {
  const base::Clock& clock;
  base::Random& random;
  const identity::KeyDirectory& keys;
  const provider::CatalogDirectory& catalog;
  const llm::Tokenizers& tokenizers;
  ratelimit::Limiter& limiter;
  governance::QuotaBook& quota;
  governance::Spool& spool;
  async::BlockingPool& lookups;
  http::TlsContexts& tls_contexts;
  const http::Proxy& proxy;
  gateway::StreamTimeouts timeouts;
};

class LoopThread {
 public:
  // `routes` builds this loop's table; `hooks` outlives the loop.
  using RoutesOf = std::function<std::vector<http::Route>(gateway::Parts&)>;
  LoopThread(int index, SharedParts& shared, const RoutesOf& routes, const http::ServerHooks& hooks,
             http::ServerSettings settings);
  ~LoopThread();

  // Opens the port, then runs. Errors: as http::Server::listen.
  Result<void> start(const async::Address& address);
  // Drains within `grace`, then ends the thread. Returns at once; join() waits.
  void stop(base::Duration grace);
  void join();
  void post(std::function<void()> fn) { loop_.post(std::move(fn)); }
  http::Server& server() { return server_; }
  gateway::Parts& parts() { return parts_; }

 private:
  Task<void> wind_down(base::Duration grace);

  async::Loop loop_;
  async::TaskGroup background_;
  http::Client client_;
  std::unique_ptr<governance::SpoolWriter> writer_;
  gateway::Parts parts_;
  http::Router router_;
  http::Server server_;
  async::TaskGroup control_;
  std::thread thread_;
};

}  // namespace deeppool::platform
