// Server: accepts connections on one loop and runs the handlers of a Router. One Server per loop;
// settings, router and hooks are shared and immutable. Everything it reads is bounded (limits.h).
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>

#include "async/listener.h"
#include "async/task_group.h"
#include "async/tls.h"
#include "http/limits.h"
#include "http/server/exchange.h"
#include "http/server/router.h"

namespace deeppool::http {

// What a server asks of the program around it. All run on the server's loop.
struct ServerHooks {
  // Writes the answer to an error that arose outside a handler (bad framing, unknown path, escaped
  // exception), in the shape of the API that the path belongs to.
  std::function<Task<void>(Exchange&, Error)> answer_error;
  // The access check of routes for users and admins: fills exchange.user, or returns the error.
  std::function<Task<Result<void>>(Exchange&, Access)> authorize;
  // The key check of routes for API keys, before a body that is still to come is read: memory is
  // kept for callers alone. The handler checks again, and says who it is.
  std::function<Result<void>(Exchange&)> may_send_body;
  // Once per request, before routing: ids, trace, common headers. A malformed head is empty here,
  // so that its error answer has an id, too. True: it has answered.
  std::function<Task<bool>(Exchange&)> before;
  // Once for every `before`, at the end: access log and metrics. `route` is null if none matched;
  // x.answered() is false if the caller left before.
  std::function<void(const Exchange&, const Route* route)> after;
};

struct ServerSettings {
  size_t max_connections = 100'000;                     // per loop
  size_t max_body_bytes_in_flight = 512 * 1024 * 1024;  // per loop, over all requests
  std::shared_ptr<const async::TlsContext> tls{};       // null: plain HTTP
  base::Duration head_timeout = kHeadTimeout;
  base::Duration body_idle_timeout = kBodyIdleTimeout;
  base::Duration body_timeout = kBodyTimeout;
  base::Duration keep_alive_timeout = kKeepAliveTimeout;
};

class Connection;

class Server {
 public:
  Server(async::Loop& loop, const Router& router, const ServerHooks& hooks,
         ServerSettings settings);
  ~Server();

  // Opens the port; accepts until drain(). Errors: as Listener::open.
  Result<uint16_t> listen(const async::Address& address);
  // Stops accepting, closes idle connections, lets requests finish until `grace` is over, then
  // cancels them
  // (`shutting_down`: streams end with an error event), and returns when all are gone.
  Task<void> drain(base::Duration grace);
  // New TLS certificates for connections to come.
  void set_tls(std::shared_ptr<const async::TlsContext> tls) { settings_.tls = std::move(tls); }

  // Any thread.
  size_t connections() const { return connection_count_.load(std::memory_order_relaxed); }

 private:
  friend class Connection;
  Task<void> accept_all();
  // "Mon, 23 Nov 2026 10:00:00 GMT", made once a second.
  const std::string& date();

  async::Loop& loop_;
  const Router& router_;
  const ServerHooks& hooks_;
  ServerSettings settings_;
  std::unique_ptr<async::Listener> listener_;
  std::unordered_set<Connection*> connections_;
  std::atomic<size_t> connection_count_{0};
  size_t body_bytes_in_flight_ = 0;
  std::string date_;
  int64_t date_second_ = 0;
  async::TaskGroup tasks_;
};

}  // namespace deeppool::http
