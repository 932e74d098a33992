#include "redis/client.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "redis/limits.h"

namespace deeppool::redis {
namespace {

std::string encode(std::span<const std::string_view> words) {
  std::string out = "*";
  base::append_int(out, words.size());
  out += "\r\n";
  for (const std::string_view word : words) {
    out += '$';
    base::append_int(out, word.size());
    out += "\r\n";
    out += word;
    out += "\r\n";
  }
  return out;
}

Error away() {
  return Error(ErrorCode::unavailable, "Redis cannot be reached.");
}

}  // namespace

Client::Client(async::Loop& loop, async::BlockingPool& lookups, const Server& server,
               std::shared_ptr<const async::TlsContext> tls)
    : loop_(loop), lookups_(lookups), server_(server), tls_(std::move(tls)), dials_(loop) {}

Task<Result<Reply>> Client::call(std::span<const std::string_view> words, base::Duration limit) {
  if (resting()) co_return away();
  const bool probe = failures_ > 0;
  if (probe) probing_ = true;
  const base::Deadline deadline{std::chrono::steady_clock::now() + limit};
  Result<Connection> connection = co_await acquire(deadline);
  if (!connection) {
    if (probe) probing_ = false;
    co_return std::move(connection).error();
  }
  const async::CancelHook hook(scope_, &async::Socket::abort_hook, connection->get());
  Result<Reply> reply = co_await exchange(**connection, words, deadline);
  if (probe) probing_ = false;
  if (!reply) {
    --open_;
    connection->reset();
    failed(reply.error());
    co_return reply;
  }
  worked();
  release(std::move(*connection));
  if (reply->kind == Reply::Kind::error) {
    co_return Error(ErrorCode::upstream_failed, "Redis refused a command.", reply->text);
  }
  co_return reply;
}

// ---- connections

Client::Connection Client::take_idle() {
  while (!idle_.empty()) {
    Connection last = std::move(idle_.back());
    idle_.pop_back();
    if (!last->stale()) return last;
    --open_;
  }
  return nullptr;
}

Task<Result<Client::Connection>> Client::acquire(base::Deadline deadline) {
  while (true) {
    if (Connection idle = take_idle()) co_return idle;
    if (pausing() && dialing_ == 0) co_return away();
    if (open_ + dialing_ < kMaxConnections && dialing_ <= waiters_.size()) {
      dials_.spawn(open_one());
    }
    Waiter waiter(loop_);
    waiters_.push_back(&waiter);
    const async::Parker::Outcome outcome = co_await waiter.parker.park(deadline);
    std::erase(waiters_, &waiter);
    if (scope_.cancelled()) co_return Error(ErrorCode::cancelled, "Shutting down.");
    if (outcome == async::Parker::Outcome::timed_out) {
      co_return Error(ErrorCode::timeout, "Redis is too slow.", "no connection in time");
    }
  }
}

Task<void> Client::open_one() {
  ++dialing_;
  const base::Deadline deadline{std::chrono::steady_clock::now() + kDialTimeout};
  Result<Connection> connection = co_await dial(deadline);
  --dialing_;
  if (!connection) {
    failed(connection.error());
    wake_all();
    co_return;
  }
  ++open_;
  release(std::move(*connection));
}

Task<Result<Client::Connection>> Client::connect_tcp(base::Deadline deadline) {
  Result<std::vector<async::Address>> addresses = co_await lookups_.run(
      [host = server_.host, port = server_.port] { return async::resolve(host, port); }, deadline);
  if (!addresses) co_return std::move(addresses).error();
  Error last(ErrorCode::upstream_failed, "Redis has no address.");
  for (const async::Address& address : *addresses) {
    Result<Connection> socket = co_await async::connect(address, deadline, scope_);
    if (socket) co_return socket;
    last = std::move(socket).error();
  }
  co_return last;
}

Task<Result<Client::Connection>> Client::dial(base::Deadline deadline) {
  Result<Connection> socket = co_await connect_tcp(deadline);
  if (!socket) co_return socket;
  const async::CancelHook hook(scope_, &async::Socket::abort_hook, socket->get());
  if (server_.security == Server::Security::tls) {
    auto session = async::TlsSession::connect(tls_, server_.host, &resumption_);
    Result<void> secured = co_await (*socket)->handshake(std::move(session), deadline);
    if (!secured) co_return std::move(secured).error();
  }
  Result<void> known = co_await log_in(**socket, deadline);
  if (!known) co_return std::move(known).error();
  co_return socket;
}

Task<Result<void>> Client::log_in(async::Socket& socket, base::Deadline deadline) {
  std::vector<std::vector<std::string_view>> commands;
  if (!server_.password.empty()) {
    commands.push_back({"AUTH"});
    if (!server_.user.empty()) commands.back().push_back(server_.user);
    commands.back().push_back(server_.password);
  }
  const std::string database = std::to_string(server_.database);
  if (server_.database != 0) commands.push_back({"SELECT", database});
  for (const auto& words : commands) {
    Result<Reply> reply = co_await exchange(socket, words, deadline);
    if (!reply) co_return std::move(reply).error();
    if (reply->kind != Reply::Kind::status) {
      co_return Error(ErrorCode::upstream_failed, "Redis does not let us in.",
                      std::string(words.front()) + ": " + reply->text);
    }
  }
  co_return Result<void>();
}

Task<Result<Reply>> Client::exchange(async::Socket& socket, std::span<const std::string_view> words,
                                     base::Deadline deadline) {
  std::string command = encode(words);
  iovec part{command.data(), command.size()};
  Result<void> sent = co_await socket.write({&part, 1}, deadline);
  if (!sent) co_return std::move(sent).error();
  ReplyParser parser;
  while (true) {
    const std::span<char> buffer = loop_.scratch();
    Result<size_t> n = co_await socket.read(buffer, deadline);
    if (!n) co_return std::move(n).error();
    if (*n == 0) {
      co_return Error(ErrorCode::upstream_failed, "The connection broke.", "Redis closed it");
    }
    Result<bool> whole = parser.feed({buffer.data(), *n});
    if (!whole) co_return std::move(whole).error();
    if (*whole) co_return parser.take();
  }
}

void Client::release(Connection connection) {
  if (scope_.cancelled()) {
    --open_;
    return;
  }
  idle_.push_back(std::move(connection));
  wake_one();
}

void Client::wake_one() {
  if (waiters_.empty()) return;
  waiters_.front()->parker.wake();
  waiters_.pop_front();
}

void Client::wake_all() {
  while (!waiters_.empty()) wake_one();
}

// ---- when the server is away

bool Client::resting() const {
  if (scope_.cancelled() || probing_) return true;
  return pausing();
}

bool Client::pausing() const {
  return failures_ > 0 && std::chrono::steady_clock::now() < rest_until_;
}

void Client::failed(const Error& error) {
  if (scope_.cancelled()) return;
  const auto pause = kFirstBackoff * (1 << std::min(failures_, kBackoffDoublings));
  rest_until_ = std::chrono::steady_clock::now() + std::min(pause, kLongestBackoff);
  if (failures_++ == 0) {
    log::warn("Redis fails",
              {{"host", server_.host}, {"detail", error.message + " " + error.detail}});
  }
}

void Client::worked() {
  if (failures_ == 0) return;
  failures_ = 0;
  log::info("Redis answers again", {{"host", server_.host}});
}

Task<void> Client::close() {
  scope_.cancel(async::CancelReason::shutting_down);
  idle_.clear();
  wake_all();
  const base::Deadline deadline{loop_.now() + 2 * kDialTimeout};
  [[maybe_unused]] const bool quiet = co_await dials_.join(deadline);
}

}  // namespace deeppool::redis
