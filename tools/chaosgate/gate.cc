#include "chaosgate/gate.h"

#include <algorithm>

#include "base/text.h"

namespace deeppool::chaos {
namespace {

constexpr std::chrono::seconds kConnectPatience{10};
constexpr std::chrono::hours kPeerPatience{
    1};  // longer than any test: the gate never gives up first
constexpr std::chrono::milliseconds kStopPoll{5};
constexpr std::chrono::seconds kShutDownPatience{10};
constexpr size_t kMaxCommand = 256;

base::Deadline in(base::Duration time) {
  return {std::chrono::steady_clock::now() + time};
}

Task<bool> send(async::Socket& socket, std::string_view bytes) {
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  Result<void> sent = co_await socket.write({&part, 1}, in(kPeerPatience));
  co_return sent.ok();
}

}  // namespace

// A client's connection and its twin to the server; they live and die together.
struct Gate::Link {
  std::unique_ptr<async::Socket> client;
  std::unique_ptr<async::Socket> server;
  int64_t up = 0;
  int64_t down = 0;
  bool resets = false;

  void end(How how) {
    resets = how == How::reset;
    if (client) client->abort();
    if (server) server->abort();
  }
  ~Link() {
    if (resets && client) client->reset_on_close();
    if (resets && server) server->reset_on_close();
  }
};

Result<std::unique_ptr<Gate>> Gate::start(const std::string& to, uint16_t port) {
  DP_TRY(const async::Address address, async::Address::parse_listen(to));
  std::unique_ptr<Gate> gate(new Gate(address));
  DP_TRY(const async::Address own, async::Address::from_ip("127.0.0.1", port));
  DP_TRY(const async::Address any, async::Address::from_ip("127.0.0.1", 0));
  DP_TRY(gate->listener_, async::Listener::open(gate->loop_, own));
  DP_TRY(gate->control_, async::Listener::open(gate->loop_, any));
  gate->thread_ = std::thread([self = gate.get()] { self->loop_.run(); });
  gate->loop_.post([self = gate.get()] {
    self->group_.spawn(self->accept_all());
    self->group_.spawn(self->accept_controls());
  });
  return gate;
}

Gate::~Gate() {
  if (!thread_.joinable()) return;
  loop_.post([this] { stopper_.spawn(shut_down()); });
  thread_.join();
}

Task<void> Gate::shut_down() {
  stopping_.cancel(async::CancelReason::shutting_down);
  listener_->close();
  control_->close();
  end_all(How::in_order);
  for (async::Socket* socket : controls_) socket->abort();
  co_await group_.join(in(kShutDownPatience));
  loop_.stop();
}

void Gate::end_all(How how) {
  for (Link* link : links_) link->end(how);
}

Task<void> Gate::accept_all() {
  while (true) {
    std::optional<async::Listener::Accepted> accepted = co_await listener_->accept();
    if (!accepted) co_return;
    if (toxics_.refuse != 0) {
      ++refused_;
      accepted->socket->reset_on_close();
      continue;
    }
    ++accepted_;
    auto link = std::make_shared<Link>();
    link->client = std::move(accepted->socket);
    group_.spawn(serve(std::move(link)));
  }
}

Task<void> Gate::serve(std::shared_ptr<Link> link) {
  links_.insert(link.get());
  auto server = co_await async::connect(to_, in(kConnectPatience), stopping_);
  if (server && !link->client->aborted()) {
    link->server = *std::move(server);
    async::TaskGroup pumps(loop_);
    pumps.spawn(pump(link, toxics_.up));
    pumps.spawn(pump(link, toxics_.down));
    co_await pumps.join({});
  } else {
    link->resets = true;  // as a closed port would
  }
  links_.erase(link.get());
}

// Ends with its sender; the other way may go on. What breaks ends both.
Task<void> Gate::pump(std::shared_ptr<Link> link, const Flow& flow) {
  const bool is_up = &flow == &toxics_.up;
  async::Socket& from = is_up ? *link->client : *link->server;
  async::Socket& to = is_up ? *link->server : *link->client;
  while (true) {
    Result<size_t> ready = co_await from.read({}, in(kPeerPatience));
    while (ready && flow.stop != 0 && !from.aborted()) {
      const bool here = co_await async::sleep_for(kStopPoll, stopping_);
      if (!here) co_return;
    }
    Result<size_t> n = co_await from.read(loop_.scratch(), in(kPeerPatience));
    if (!n) break;
    if (*n == 0) {
      to.shutdown_write();
      co_return;
    }
    std::string bytes(loop_.scratch().data(), *n);
    (is_up ? up_bytes_ : down_bytes_) += static_cast<int64_t>(*n);
    const bool passed = co_await pass(*link, flow, std::move(bytes));
    if (!passed) break;
  }
  if (!link->client->aborted()) link->end(How::reset);
}

Task<bool> Gate::pass(Link& link, const Flow& flow, std::string bytes) {
  const bool is_up = &flow == &toxics_.up;
  int64_t& done = is_up ? link.up : link.down;
  async::Socket& to = is_up ? *link.server : *link.client;
  corrupt(bytes, flow.corrupt_every, done);
  bool cut = false;
  if (flow.cut_after > 0 && done + static_cast<int64_t>(bytes.size()) >= flow.cut_after) {
    bytes.resize(static_cast<size_t>(std::max<int64_t>(flow.cut_after - done, 0)));
    cut = true;
  }
  done += static_cast<int64_t>(bytes.size());
  if (flow.swallow != 0) co_return !cut;
  if (flow.delay_ms > 0) {
    const bool here =
        co_await async::sleep_for(std::chrono::milliseconds(flow.delay_ms), stopping_);
    if (!here) co_return false;
  }
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const size_t most = flow.slice > 0 ? static_cast<size_t>(flow.slice) : rest.size();
    const std::string_view piece = rest.substr(0, most);
    const bool sent = co_await send(to, piece);
    if (!sent) co_return false;
    rest.remove_prefix(piece.size());
    if (flow.bandwidth <= 0) continue;
    const auto time = std::chrono::nanoseconds(static_cast<int64_t>(piece.size()) * 1'000'000'000 /
                                               flow.bandwidth);
    const bool here = co_await async::sleep_for(time, stopping_);
    if (!here) co_return false;
  }
  co_return !cut;
}

// ---- control

Task<void> Gate::accept_controls() {
  while (true) {
    std::optional<async::Listener::Accepted> accepted = co_await control_->accept();
    if (!accepted) co_return;
    group_.spawn(control(std::move(accepted->socket)));
  }
}

Task<void> Gate::control(std::unique_ptr<async::Socket> socket) {
  controls_.insert(socket.get());
  std::string held;
  while (held.size() <= kMaxCommand) {
    Result<size_t> n = co_await socket->read(loop_.scratch(), in(kPeerPatience));
    if (!n || *n == 0) break;
    held.append(loop_.scratch().data(), *n);
    std::string answers;
    for (size_t end = held.find('\n'); end != std::string::npos; end = held.find('\n')) {
      answers += obey(base::trim(std::string_view(held).substr(0, end))) + "\n";
      held.erase(0, end + 1);
    }
    const bool sent = co_await send(*socket, answers);
    if (!sent) break;
  }
  controls_.erase(socket.get());
}

std::string Gate::obey(std::string_view command) {
  if (command == "cut" || command == "close") {
    end_all(command == "cut" ? How::reset : How::in_order);
    return "ok";
  }
  if (command == "calm") {
    toxics_ = {};
    return "ok";
  }
  if (command == "stats") {
    return "{\"open\":" + std::to_string(links_.size()) +
           ",\"accepted\":" + std::to_string(accepted_) +
           ",\"refused\":" + std::to_string(refused_) +
           ",\"up_bytes\":" + std::to_string(up_bytes_) +
           ",\"down_bytes\":" + std::to_string(down_bytes_) + "}";
  }
  const Result<void> done = toxics_.set(command);
  return done ? "ok" : "error: " + done.error().message;
}

}  // namespace deeppool::chaos
