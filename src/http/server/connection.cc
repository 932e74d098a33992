#include "http/server/connection.h"

#include "base/log.h"
#include "http/codec/chunked.h"
#include "http/codec/head_parser.h"
#include "http/limits.h"

namespace deeppool::http {
namespace {

constexpr size_t kFirstBodyStep = 256 * 1024;  // what a Content-Length alone may make us allocate

Error too_large(size_t limit) {
  return Error(ErrorCode::payload_too_large, "The request body is too large; at most " +
                                                 std::to_string(limit) +
                                                 " bytes are accepted here.");
}

Error peer_gone() {
  return Error(ErrorCode::cancelled, "The connection ended inside a request.");
}

}  // namespace

Connection::Connection(Server& server, std::unique_ptr<async::Socket> socket, std::string peer_ip)
    : server_(server), socket_(std::move(socket)), peer_ip_(std::move(peer_ip)) {
  server_.connections_.insert(this);
  server_.connection_count_ = server_.connections_.size();
}

Connection::~Connection() {
  server_.connections_.erase(this);
  server_.connection_count_ = server_.connections_.size();
}

void Connection::stop_when_idle() {
  stop_ = true;
  if (current_ != nullptr) current_->close_after_ = true;
  if (current_ == nullptr && pending_.empty()) socket_->abort();
}

void Connection::cancel_request() {
  if (current_ != nullptr) current_->scope.cancel(async::CancelReason::shutting_down);
}

Task<void> Connection::serve() {
  if (server_.settings_.tls) {
    auto session = async::TlsSession::accept(server_.settings_.tls);
    const base::Deadline deadline{socket_->loop().now() + server_.settings_.head_timeout};
    Result<void> done = co_await socket_->handshake(std::move(session), deadline);
    if (!done) co_return;
  }
  Next next = Next::again;
  do {
    if (pending_.empty()) {
      Result<bool> more = co_await wait_for_request();
      if (!more || !*more) co_return;
    }
    next = co_await serve_one();
  } while (next == Next::again && !stop_);
  if (next == Next::linger) co_await linger();
  if (next != Next::cut) socket_->shutdown_write();
}

// True when bytes of a request are in pending_ or waiting in the socket.
Task<Result<bool>> Connection::wait_for_request() {
  const base::Deadline deadline{socket_->loop().now() + server_.settings_.keep_alive_timeout};
  Result<size_t> ready = co_await socket_->read({}, deadline);
  if (!ready) co_return std::move(ready).error();
  co_return true;
}

Task<Connection::Next> Connection::serve_one() {
  Exchange x(*socket_, peer_ip_, key_memo_);
  current_ = &x;
  x.date_ = server_.date();
  x.close_after_ = stop_;
  body_pending_ = false;
  begun_ = false;
  Router::Match match;
  Result<void> taken = co_await take_request(x, match);
  const bool peer_is_gone = !taken && (taken.error().code == ErrorCode::cancelled ||
                                       taken.error().code == ErrorCode::upstream_failed);
  if (taken && !x.answered()) {
    co_await run_handler(x, *match.route);
  } else if (!taken && !peer_is_gone) {
    x.close_after_ = x.close_after_ || body_pending_;
    co_await refuse(x, std::move(taken));
  }
  finish_exchange(x, match.route);
  co_return after_answer(x);
}

Connection::Next Connection::after_answer(const Exchange& x) const {
  if (x.write_failed_ || !x.finished_) return Next::cut;
  if (body_pending_) return Next::linger;
  if (x.head.keep_alive && !x.close_after_ && !stop_) return Next::again;
  return pending_.empty() ? Next::close : Next::linger;
}

void Connection::finish_exchange(Exchange& x, const Route* route) {
  socket_->on_hangup(nullptr);
  if (begun_) server_.hooks_.after(x, route);
  server_.body_bytes_in_flight_ -= std::exchange(body_charged_, 0);
  current_ = nullptr;
}

Task<void> Connection::refuse(Exchange& x, Result<void> why) {
  co_await server_.hooks_.answer_error(x, std::move(why).error());
}

// More than came with the head.
bool Connection::body_to_come(const Exchange& x) {
  if (x.head.framing == Framing::none) return false;
  return x.head.framing == Framing::chunked || x.body.size() < x.head.content_length;
}

// Everything up to a request that is ready for its handler. A `before` hook may answer on the way.
Task<Result<void>> Connection::take_request(Exchange& x, Router::Match& match) {
  body_pending_ = true;  // until framing is understood, nothing on this connection can be trusted
  Result<void> head = co_await read_head(x);
  if (!head && head.error().code == ErrorCode::cancelled) co_return head;
  if (!head) {
    x.head = RequestHead{};  // half-parsed fields must not be believed
    x.head.keep_alive = false;
  } else {
    body_pending_ = x.head.framing != Framing::none;
  }
  begun_ = true;
  const bool answered = co_await server_.hooks_.before(x);
  if (answered) co_return Result<void>();
  if (!head) co_return head;
  match = server_.router_.find(x.head.method, x.path());
  if (match.route == nullptr) {
    if (!match.allowed.empty()) {
      x.add_header("Allow", match.allowed);
      x.protocol_status_ = 405;
    }
    co_return Error(ErrorCode::not_found,
                    match.allowed.empty()
                        ? "No such path: " + std::string(x.path())
                        : std::string(x.head.method_text) + " is not supported on " +
                              std::string(x.path()) + "; it has " + match.allowed + ".");
  }
  x.params = std::move(match.params);
  if (match.route->access == Access::user || match.route->access == Access::admin) {
    Result<void> allowed = co_await server_.hooks_.authorize(x, match.route->access);
    if (!allowed) co_return allowed;
  }
  if (match.route->access == Access::api_key && body_to_come(x)) {
    DP_CO_CHECK(server_.hooks_.may_send_body(x));
  }
  Result<void> body = co_await read_body(x, match.route->body_limit);
  if (body) body_pending_ = false;
  co_return body;
}

Task<Result<void>> Connection::read_head(Exchange& x) {
  const base::Deadline deadline{socket_->loop().now() + server_.settings_.head_timeout};
  x.started = socket_->loop().now();
  if (pending_.starts_with("\r\n")) pending_.erase(0, 2);  // RFC 9112, 2.2: may be ignored
  std::string_view bytes = pending_;
  size_t scanned = 0;
  size_t end = find_head_end(bytes, 0);
  while (end == 0) {
    if (bytes.size() > kMaxHeadBytes) break;
    scanned = bytes.size();
    const std::span<char> out = socket_->loop().scratch().first(kHeadRead);
    Result<size_t> n = co_await socket_->read(out, deadline);
    if (!n && n.error().code == ErrorCode::timeout && !pending_.empty()) {
      x.protocol_status_ = 408;
      co_return Error(ErrorCode::timeout, "The request head did not arrive in time.");
    }
    if (!n || *n == 0) co_return peer_gone();
    const std::string_view fresh(out.data(), *n);
    if (pending_.empty()) {
      bytes = fresh;
      if (bytes.starts_with("\r\n")) bytes.remove_prefix(2);
    } else {
      pending_ += fresh;
      if (pending_.starts_with("\r\n")) pending_.erase(0, 2), scanned = 0;
      bytes = pending_;
    }
    end = find_head_end(bytes, scanned);
    if (end == 0 && pending_.empty()) {
      pending_ = bytes;
      bytes = pending_;
    }
  }
  if (end == 0 || end > kMaxHeadBytes) {
    x.protocol_status_ = 431;
    co_return Error(ErrorCode::payload_too_large, "The request head is too large; at most 32 KiB.");
  }
  x.head_bytes_.put(bytes.substr(0, end));
  bytes.remove_prefix(end);
  Result<void> parsed = parse_request_head(x.head_bytes_, x.head);
  if (!parsed && parsed.error().code == ErrorCode::payload_too_large) x.protocol_status_ = 431;
  // What came of the body goes to its place at once: bytes in the scratch do not stay.
  if (parsed && x.head.framing == Framing::length) {
    const size_t here = std::min<uint64_t>(bytes.size(), x.head.content_length);
    // Room for all of it, or what is here would be copied once more when the rest comes.
    if (here > 0) x.body.reserve(std::min<uint64_t>(x.head.content_length, kFirstBodyStep));
    x.body.append(bytes.substr(0, here));
    bytes.remove_prefix(here);
  }
  std::string rest(bytes);
  pending_ = std::move(rest);
  co_return parsed;
}

Task<Result<void>> Connection::read_body(Exchange& x, size_t limit) {
  if (x.head.framing == Framing::none) co_return Result<void>();
  if (x.head.framing == Framing::length && x.head.content_length > limit)
    co_return too_large(limit);
  const bool nothing_yet = pending_.empty() && x.body.empty();
  if (x.head.expects_continue && x.head.minor_version == 1 && nothing_yet) {
    std::string go = "HTTP/1.1 100 Continue\r\n\r\n";
    iovec part{go.data(), go.size()};
    const base::Deadline deadline{socket_->loop().now() + kWriteTimeout};
    Result<void> done = co_await socket_->write({&part, 1}, deadline);
    if (!done) co_return done;
  }
  if (x.head.framing == Framing::length) {
    Result<void> done = co_await read_sized_body(x);
    co_return done;
  }
  Result<void> done = co_await read_chunked_body(x, limit);
  co_return done;
}

// Charges `bytes` more of body to this loop's budget.
Result<void> Connection::charge_body(size_t bytes) {
  Server& s = server_;
  if (s.body_bytes_in_flight_ + bytes > s.settings_.max_body_bytes_in_flight) {
    Error busy(ErrorCode::unavailable, "The server is busy with large requests. Try again.");
    busy.retry_after = kBusyRetryAfter;
    return busy;
  }
  s.body_bytes_in_flight_ += bytes;
  body_charged_ += bytes;
  return {};
}

// For the next bytes of it: none of them may be long in coming, nor all of them together, or a few
// callers would hold the whole budget for bodies.
base::Deadline Connection::body_deadline(const Exchange& x) const {
  return {std::min(socket_->loop().now() + server_.settings_.body_idle_timeout,
                   x.started + server_.settings_.body_timeout)};
}

Task<Result<void>> Connection::read_sized_body(Exchange& x) {
  const size_t length = x.head.content_length;
  const size_t first = std::min(length, std::max(x.body.size(), kFirstBodyStep));
  DP_CO_CHECK(charge_body(first));
  x.body.reserve(first);
  while (x.body.size() < length) {
    const size_t had = x.body.size();
    if (had == body_charged_) {
      const size_t more = std::min(length - had, had);
      DP_CO_CHECK(charge_body(more));
      x.body.reserve(had + more);
    }
    const std::span<char> out(x.body.mutable_data() + had, body_charged_ - had);
    Result<size_t> n = co_await socket_->read(out, body_deadline(x));
    if (!n && n.error().code == ErrorCode::timeout) {
      x.protocol_status_ = 408;
      co_return Error(ErrorCode::timeout, "The request body did not arrive in time.");
    }
    if (!n || *n == 0) co_return peer_gone();
    x.body.resize_for_overwrite(had + *n);
  }
  co_return Result<void>();
}

Task<Result<void>> Connection::read_chunked_body(Exchange& x, size_t limit) {
  ChunkedDecoder decoder;
  std::string held = std::move(pending_);
  pending_.clear();
  std::string_view in = held;
  while (true) {
    Result<ChunkedDecoder::Step> step = decoder.next(in);
    if (!step) co_return std::move(step).error();
    if (step->state == ChunkedDecoder::State::end) break;
    if (step->state == ChunkedDecoder::State::data) {
      if (x.body.size() + step->data.size() > limit) co_return too_large(limit);
      DP_CO_CHECK(charge_body(step->data.size()));
      x.body.append(step->data);
      continue;
    }
    Result<size_t> n = co_await socket_->read(socket_->loop().scratch(), body_deadline(x));
    if (!n && n.error().code == ErrorCode::timeout) {
      x.protocol_status_ = 408;
      co_return Error(ErrorCode::timeout, "The request body did not arrive in time.");
    }
    if (!n || *n == 0) co_return peer_gone();
    held.assign(socket_->loop().scratch().data(), *n);
    in = held;
  }
  pending_ = std::string(in);
  co_return Result<void>();
}

Task<void> Connection::run_handler(Exchange& x, const Route& route) {
  // A caller that closes is gone, as in most servers; half-closing after a request is not
  // supported.
  socket_->on_hangup([&x] { x.scope.cancel(async::CancelReason::caller_gone); });
  std::string what;
  try {
    co_await route.handler(x);
  } catch (const std::exception& e) {
    what = e.what();
  }
  const bool unanswered = !x.answered() && !x.scope.cancelled();
  if (!what.empty() || unanswered) co_await handler_failed(x, route, std::move(what));
}

// `what` escaped it, or it did not answer.
Task<void> Connection::handler_failed(Exchange& x, const Route& route, std::string what) {
  if (!what.empty()) {
    log::error("exception escaped a handler",
               {{"request_id", x.id.to_string()}, {"route", route.pattern}, {"what", what}});
  }
  if (x.answered() || x.scope.cancelled()) co_return;
  co_await server_.hooks_.answer_error(
      x, Error(ErrorCode::internal, "The server failed to handle this request.", what));
}

// The answer is out, the peer may still be sending: closing now would reset the connection and
// destroy the answer on its way. Say "no more from us", then read the rest for a moment.
Task<void> Connection::linger() {
  socket_->shutdown_write();
  const base::Instant end = socket_->loop().now() + kLingerTimeout;
  size_t thrown_away = 0;
  while (thrown_away < kLingerBytes) {
    const base::Deadline deadline{std::min(end, socket_->loop().now() + kLingerIdleTimeout)};
    Result<size_t> n = co_await socket_->read(socket_->loop().scratch(), deadline);
    if (!n || *n == 0) co_return;
    thrown_away += *n;
  }
}

}  // namespace deeppool::http
