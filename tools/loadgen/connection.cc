#include "loadgen/connection.h"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "http/codec/head_parser.h"
#include "http/limits.h"

namespace deeppool::load {
namespace {

constexpr Nanos kSlowReadTick = 100'000'000;  // a slow reader reads ten times a second
constexpr int kSlowReadBuffer = 4096;         // so that the kernel does not read for it
constexpr size_t kMaxKeptBody = 16 * 1024 * 1024;

}  // namespace

Connection::Connection(Owner& owner, const Settings& settings, const Target& target)
    : owner_(owner), settings_(settings), target_(target) {}

Connection::~Connection() {
  close();
}

void Connection::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  phase_ = Phase::idle;
  reused_ = false;
  hung_up_ = false;
}

bool Connection::connect() {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return false;
  const int one = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (settings_.read_rate >= 0) {
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &kSlowReadBuffer, sizeof kSlowReadBuffer);
  }
  const auto* to = reinterpret_cast<const sockaddr*>(&target_.address);
  const int rc = ::connect(fd_, to, sizeof target_.address);
  if (rc != 0 && errno != EINPROGRESS) {
    close();
    return false;
  }
  phase_ = Phase::connecting;
  owner_.watch(*this);
  return true;
}

void Connection::connect_only() {
  connect();
}

void Connection::start(Exchange exchange, std::string text) {
  exchange_ = std::move(exchange);
  text_ = std::move(text);
  sent_ = 0;
  head_.clear();
  body_.clear();
  sse_.reset();
  chunked_.reset();
  busy_ = true;
  if (fd_ < 0) {
    if (!connect()) finish(End::refused);
    return;
  }
  phase_ = Phase::sending;
  send_rest();
}

void Connection::send_rest() {
  if (exchange_.started == 0) exchange_.started = now_ns();
  while (sent_ < text_.size()) {
    const ssize_t n = ::send(fd_, text_.data() + sent_, text_.size() - sent_, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) return ended_by_peer();
    sent_ += static_cast<size_t>(n);
  }
  phase_ = Phase::head;
  if (exchange_.abort_at == 0) return finish(End::aborted);
  if (settings_.read_rate >= 0) owner_.call_later(*this, now_ns() + kSlowReadTick);
}

void Connection::on_ready(uint32_t events) {
  if (phase_ == Phase::connecting) {
    int code = 0;
    socklen_t length = sizeof code;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &code, &length);
    if (code != 0) {
      close();
      if (busy_) finish(End::refused);
      return;
    }
    if ((events & EPOLLOUT) == 0) return;
    phase_ = busy_ ? Phase::sending : Phase::idle;
  }
  if (phase_ == Phase::sending && (events & EPOLLOUT) != 0) send_rest();
  if ((events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0) hung_up_ = true;
  const bool readable = hung_up_ || (events & EPOLLIN) != 0;
  if (!readable || fd_ < 0) return;
  if (phase_ == Phase::idle) {  // the server closes an idle connection
    char byte = 0;
    if (recv(fd_, &byte, 1, MSG_PEEK) >= 0 || errno != EAGAIN) close();
    return;
  }
  if (settings_.read_rate < 0) receive();
}

void Connection::on_timer() {
  if (!busy_ || fd_ < 0) return;
  const auto allowance = static_cast<size_t>(settings_.read_rate * kSlowReadTick / 1'000'000'000);
  if (allowance > 0) {
    std::string& buffer = owner_.scratch();
    const ssize_t n = recv(fd_, buffer.data(), std::min(allowance, buffer.size()), 0);
    if (n == 0 || (n < 0 && errno != EAGAIN)) return ended_by_peer();
    if (n > 0 && !take({buffer.data(), static_cast<size_t>(n)})) return;
  }
  owner_.call_later(*this, now_ns() + kSlowReadTick);
}

void Connection::receive() {
  std::string& buffer = owner_.scratch();
  while (busy_ && fd_ >= 0) {
    const ssize_t n = recv(fd_, buffer.data(), buffer.size(), 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return ended_by_peer();
    const auto size = static_cast<size_t>(n);
    if (!take({buffer.data(), size})) return;
    // Edge-triggered: a short read has emptied the socket, unless its end is still to be read.
    if (size < buffer.size() && !hung_up_) return;
  }
}

// False when the exchange is over.
bool Connection::take(std::string_view bytes) {
  exchange_.bytes += static_cast<int64_t>(bytes.size());
  if (phase_ == Phase::head && !take_head(bytes)) return busy_;
  if (phase_ == Phase::body && !take_body(bytes)) return false;
  if (exchange_.abort_at >= 0 && exchange_.bytes >= exchange_.abort_at) {
    finish(End::aborted);
    return false;
  }
  return true;
}

// True when the head is complete; `bytes` is then what follows it.
bool Connection::take_head(std::string_view& bytes) {
  while (true) {
    const size_t had = head_.size();
    head_ += bytes;
    const size_t end = http::find_head_end(head_, 0);
    if (end == 0 && head_.size() > http::kMaxHeadBytes) finish(End::broken);
    if (end == 0) return false;
    http::ResponseHead parsed;
    if (!http::parse_response_head(std::string_view(head_).substr(0, end), http::Method::post,
                                   parsed)) {
      finish(End::broken);
      return false;
    }
    bytes.remove_prefix(end - had);
    exchange_.status = parsed.status;
    exchange_.request_id = parsed.headers.find("x-request-id").value_or("");
    const auto type = parsed.headers.find("content-type").value_or("");
    exchange_.streamed = type.starts_with("text/event-stream");
    framing_ = parsed.framing;
    keep_alive_ = parsed.keep_alive;
    left_ = parsed.content_length;
    head_.clear();
    if (parsed.status >= 200) break;
    if (bytes.empty()) return false;
  }
  if (framing_ == http::Framing::chunked) chunked_.emplace();
  if (exchange_.streamed) sse_.emplace(http::kMaxEventBytes);
  phase_ = Phase::body;
  return true;
}

bool Connection::take_body(std::string_view bytes) {
  if (framing_ == http::Framing::chunked) return take_chunked(bytes);
  if (framing_ == http::Framing::until_close) {
    take_data(bytes);
    return true;
  }
  if (bytes.size() > left_) {
    finish(End::broken);
    return false;
  }
  left_ -= bytes.size();
  take_data(bytes);
  if (left_ > 0) return true;
  finish_whole();
  return false;
}

bool Connection::take_chunked(std::string_view bytes) {
  while (true) {
    Result<http::ChunkedDecoder::Step> step = chunked_->next(bytes);
    if (!step) {
      finish(End::broken);
      return false;
    }
    if (step->state == http::ChunkedDecoder::State::need_more) return true;
    if (step->state == http::ChunkedDecoder::State::end) {
      finish_whole();
      return false;
    }
    take_data(step->data);
  }
}

void Connection::take_data(std::string_view data) {
  if (!sse_) {
    if (body_.size() + data.size() <= kMaxKeptBody) body_ += data;
    return;
  }
  sse_->feed(data);
  http::SseEvent event;
  while (true) {
    Result<bool> more = sse_->next(event);
    if (!more || !*more) return;
    take_event(event.data);
  }
}

namespace {

// In the protocols that callers speak. Those that have no [DONE] end with an event like the others.
constexpr std::string_view kLastEvents[] = {R"({"type":"message_stop")",
                                            R"({"type":"response.completed")",
                                            R"({"type":"response.incomplete")"};
constexpr std::string_view kErrorEvents[] = {R"({"error")", R"({"type":"error")"};

template <size_t n>
bool begins_with_one_of(std::string_view data, const std::string_view (&heads)[n]) {
  return std::ranges::any_of(heads,
                             [data](std::string_view head) { return data.starts_with(head); });
}

}  // namespace

void Connection::take_event(std::string_view data) {
  if (data == "[DONE]") {
    exchange_.done_seen = true;
    return;
  }
  const Nanos now = now_ns();
  if (exchange_.events == 0) {
    exchange_.first_event = now;
    owner_.first_event(exchange_);
  } else {
    owner_.event_gap(now - exchange_.last_event);
  }
  exchange_.last_event = now;
  ++exchange_.events;
  if (begins_with_one_of(data, kLastEvents)) exchange_.done_seen = true;
  if (begins_with_one_of(data, kErrorEvents)) exchange_.error_event = true;
  if (data.find("\"usage\":{") != std::string_view::npos) read_usage(data, exchange_);
  if (!exchange_.nonce.empty()) check_nonces(data, exchange_);
}

void Connection::finish_whole() {
  if (!exchange_.streamed) {
    read_usage(body_, exchange_);
    if (!exchange_.nonce.empty()) check_nonces(body_, exchange_);
  }
  const bool cut = exchange_.streamed && !exchange_.done_seen;
  finish(cut ? End::broken : End::completed);
}

void Connection::ended_by_peer() {
  const bool whole = phase_ == Phase::body && framing_ == http::Framing::until_close;
  if (whole) {
    keep_alive_ = false;
    return finish_whole();
  }
  // A kept-alive connection that the server closed just before our bytes came: nobody has seen the
  // request, so a new connection takes it.
  if (reused_ && exchange_.bytes == 0) {
    close();
    sent_ = 0;
    if (!connect()) finish(End::refused);
    return;
  }
  finish(End::broken);
}

void Connection::finish(End end) {
  exchange_.end = end;
  exchange_.ended = now_ns();
  busy_ = false;
  if (end != End::completed || !keep_alive_) {
    close();
  } else {
    phase_ = Phase::idle;
    reused_ = true;
  }
  owner_.over(*this);
}

void Connection::give_up(End end) {
  if (busy_) finish(end);
}

}  // namespace deeppool::load
