#include "mock_upstream/server.h"

#include <set>

#include "async/listener.h"
#include "async/task_group.h"

namespace deeppool::mock {

constexpr std::chrono::seconds kStopPatience{
    10};  // for connections to notice that they are aborted

// One loop, its thread and its connections.
class MockServer::Worker {
 public:
  explicit Worker(Shared& shared) : shared_(shared), group_(loop_) {}
  ~Worker() { stop(); }

  Result<uint16_t> listen(const async::Address& address) {
    DP_TRY(listener_, async::Listener::open(loop_, address));
    return listener_->port();
  }
  void start() {
    thread_ = std::thread([this] { loop_.run(); });
    loop_.post([this] { group_.spawn(accept_all()); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    loop_.post([this] { stopper_.spawn(close_all()); });
    thread_.join();
  }

 private:
  Task<void> accept_all() {
    while (true) {
      std::optional<async::Listener::Accepted> accepted = co_await listener_->accept();
      if (!accepted) co_return;
      group_.spawn(serve(std::make_unique<Connection>(shared_, std::move(accepted->socket))));
    }
  }
  Task<void> serve(std::unique_ptr<Connection> connection) {
    open_.insert(connection.get());
    co_await connection->serve();
    open_.erase(connection.get());
  }
  Task<void> close_all() {
    listener_->close();
    for (Connection* connection : open_) connection->socket().abort();
    const base::Deadline deadline{loop_.now() + kStopPatience};
    co_await group_.join(deadline);
    loop_.stop();
  }

  Shared& shared_;
  async::Loop loop_;
  async::TaskGroup group_;
  async::TaskGroup stopper_{loop_};
  std::unique_ptr<async::Listener> listener_;
  std::set<Connection*> open_;
  std::thread thread_;
};

MockServer::MockServer() = default;
MockServer::~MockServer() = default;

Result<void> MockServer::listen(const Settings& settings) {
  port_ = settings.port;
  for (int i = 0; i < settings.threads; ++i) {
    DP_TRY(const async::Address address, async::Address::from_ip(settings.host, port_));
    auto worker = std::make_unique<Worker>(shared_);
    DP_TRY(port_, worker->listen(address));
    workers_.push_back(std::move(worker));
  }
  return {};
}

Result<std::unique_ptr<MockServer>> MockServer::start(const Settings& settings) {
  std::unique_ptr<MockServer> server(new MockServer());
  Shared& shared = server->shared_;
  shared.started_us = std::chrono::duration_cast<std::chrono::microseconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count();
  if (!settings.journal.empty()) {
    DP_TRY(shared.journal, Journal::open(settings.journal));
  }
  if (!settings.tls_certificate.empty()) {
    DP_TRY(shared.tls, async::TlsContext::server(settings.tls_certificate, settings.tls_key));
  }
  DP_CHECK(server->listen(settings));
  for (auto& worker : server->workers_) worker->start();
  return server;
}

}  // namespace deeppool::mock
