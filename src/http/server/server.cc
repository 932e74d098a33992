#include "http/server/server.h"

#include <ctime>

#include "base/log.h"
#include "http/server/connection.h"

namespace deeppool::http {
namespace {

constexpr auto kDrainPause = std::chrono::milliseconds(50);
constexpr auto kAfterCancel =
    std::chrono::seconds(5);  // for cancelled handlers to settle and answer

Task<void> serve_connection(Server& server, std::unique_ptr<async::Socket> socket,
                            std::string peer) {
  Connection connection(server, std::move(socket), std::move(peer));
  co_await connection.serve();
}

}  // namespace

Server::Server(async::Loop& loop, const Router& router, const ServerHooks& hooks,
               ServerSettings settings)
    : loop_(loop), router_(router), hooks_(hooks), settings_(std::move(settings)), tasks_(loop) {}

Server::~Server() = default;

Result<uint16_t> Server::listen(const async::Address& address) {
  DP_TRY(listener_, async::Listener::open(loop_, address));
  tasks_.spawn(accept_all());
  return listener_->port();
}

Task<void> Server::accept_all() {
  while (true) {
    std::optional<async::Listener::Accepted> accepted = co_await listener_->accept();
    if (!accepted) co_return;
    if (connections_.size() >= settings_.max_connections) {
      log::warn("connection refused: the limit is reached", {{"limit", settings_.max_connections}});
      continue;
    }
    tasks_.spawn(serve_connection(*this, std::move(accepted->socket), accepted->peer.ip()));
  }
}

const std::string& Server::date() {
  const int64_t second = base::unix_seconds(std::chrono::system_clock::now());
  if (second != date_second_) {
    date_second_ = second;
    const time_t t = static_cast<time_t>(second);
    std::tm tm{};
    gmtime_r(&t, &tm);
    char text[40];
    date_.assign(text, strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm));
  }
  return date_;
}

Task<void> Server::drain(base::Duration grace) {
  if (listener_) listener_->close();
  // What was accepted last has its request on the way: serve that first.
  async::CancelScope never;
  co_await async::sleep_for(kDrainPause, never);
  const std::unordered_set<Connection*> open = connections_;
  for (Connection* connection : open) connection->stop_when_idle();
  const bool all_done = co_await tasks_.join({loop_.now() + grace});
  if (all_done) co_return;
  for (Connection* connection : connections_) connection->cancel_request();
  const bool settled = co_await tasks_.join({loop_.now() + kAfterCancel});
  if (settled) co_return;
  for (Connection* connection : connections_) connection->abort();
  co_await tasks_.join({});
}

}  // namespace deeppool::http
