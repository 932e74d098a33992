#include "async/socket.h"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace deeppool::async {
namespace {

constexpr ssize_t kWouldBlock = -2;
constexpr ssize_t kFailed = -1;
constexpr size_t kTlsRecord = 16 * 1024;  // the most that one TLS record carries
constexpr size_t kMaxParts = 64;          // iovecs per system call; well below IOV_MAX
// Up to here a copy and send(2) cost less than sendmsg(2) over the parts (measured with six of
// them: 5 % of a round trip over loopback).
constexpr size_t kGathered = 4 * 1024;
// What one socket may move before its loop serves the others: one full read, some 250 events.
constexpr size_t kShareOfTurn = Loop::kScratchSize;

Error io_error(int code, const char* what) {
  return Error(ErrorCode::upstream_failed, "The connection broke.",
               std::string(what) + ": " + std::strerror(code));
}
Error aborted_error() {
  return Error(ErrorCode::cancelled, "The request was cancelled.");
}
Error timeout_error(const char* what) {
  return Error(ErrorCode::timeout, "The peer was too slow.", what);
}

size_t gather(std::span<const iovec> parts, std::span<char> out) {
  size_t used = 0;
  for (const iovec& part : parts) {
    const size_t n = std::min(part.iov_len, out.size() - used);
    std::copy_n(static_cast<const char*>(part.iov_base), n, out.data() + used);
    used += n;
  }
  return used;
}

size_t total_size(std::span<const iovec> parts) {
  size_t size = 0;
  for (const iovec& part : parts) size += part.iov_len;
  return size;
}

ssize_t send_one(int fd, std::string_view bytes) {
  ssize_t n = 0;
  do {
    n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  return n;
}

ssize_t send_parts(int fd, std::span<iovec> parts) {
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = std::min(parts.size(), kMaxParts);
  ssize_t n = 0;
  do {
    n = sendmsg(fd, &message, MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  return n;
}

// Drops `n` sent bytes from the front.
void consume(std::span<iovec>& parts, size_t n) {
  while (!parts.empty() && n >= parts.front().iov_len) {
    n -= parts.front().iov_len;
    parts = parts.subspan(1);
  }
  if (!parts.empty()) {
    parts.front().iov_base = static_cast<char*>(parts.front().iov_base) + n;
    parts.front().iov_len -= n;
  }
}

}  // namespace

Socket::Socket(Loop& loop, int fd)
    : loop_(loop),
      fd_(fd),
      read_timer_(loop, &Socket::on_read_timeout, this),
      write_timer_(loop, &Socket::on_write_timeout, this) {
  loop_.watch(fd_, *this);
}

Socket::~Socket() {
  if (tls_ && !aborted_ && !hung_up_) tls_->say_goodbye();
  loop_.forget(fd_, *this);
  close(fd_);
}

bool Socket::stale() {
  if (tls_ && readable_ && !hung_up_) {
    // Perhaps only session tickets, or nothing at all: only TLS itself can tell. A byte read here
    // spoils the connection, which it would have been anyway.
    char byte = 0;
    if (tls_->read({&byte, 1}) == TlsSession::kWouldBlock) readable_ = false;
  }
  return hung_up_ || readable_;
}

void Socket::shutdown_write() {
  if (tls_) tls_->say_goodbye();
  shutdown(fd_, SHUT_WR);
}

void Socket::reset_on_close() {
  const linger hard{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

void Socket::on_hangup(std::function<void()> callback) {
  hangup_ = std::move(callback);
  if (hung_up_ && hangup_) std::exchange(hangup_, nullptr)();
}

// ---- one attempt

ssize_t Socket::read_some(std::span<char> out) {
  if (tls_) {
    const ssize_t n = tls_->read(out);
    if (n == TlsSession::kWouldBlock || (n > 0 && tls_->drained())) readable_ = false;
    return n == TlsSession::kWouldBlock ? kWouldBlock : n;
  }
  ssize_t n = 0;
  do {
    n = recv(fd_, out.data(), out.size(), 0);
  } while (n < 0 && errno == EINTR);
  if (n < 0) {
    if (errno != EAGAIN) return kFailed;
    readable_ = false;
    return kWouldBlock;
  }
  // A short read has emptied the socket; the next byte makes a new edge. An end stays readable.
  if (n > 0 && static_cast<size_t>(n) < out.size() && !hung_up_) readable_ = false;
  return n;
}

ssize_t Socket::write_some(std::span<iovec> parts) {
  if (tls_) {
    char record[kTlsRecord];
    const bool single = parts.size() == 1 || parts.front().iov_len >= kTlsRecord;
    const size_t size = single ? parts.front().iov_len : gather(parts, record);
    const char* data = single ? static_cast<const char*>(parts.front().iov_base) : record;
    const ssize_t n = tls_->write({data, size});
    return n == TlsSession::kWouldBlock ? kWouldBlock : n;
  }
  ssize_t n = 0;
  if (parts.size() == 1) {
    n = send_one(fd_, {static_cast<const char*>(parts.front().iov_base), parts.front().iov_len});
  } else if (total_size(parts) <= kGathered) {
    char gathered[kGathered];
    n = send_one(fd_, {gathered, gather(parts, gathered)});
  } else {
    n = send_parts(fd_, parts);
  }
  if (n < 0) return errno == EAGAIN ? kWouldBlock : kFailed;
  return n;
}

// True when the reader has its result.
bool Socket::attempt_read() {
  if (aborted_) {
    reader_->result_ = aborted_error();
    return true;
  }
  if (!readable_) return false;
  if (reader_->out_.empty()) return true;  // only waits for readiness
  const ssize_t n = read_some(reader_->out_);
  if (n == kWouldBlock) return false;
  if (n == kFailed) {
    reader_->result_ = tls_ ? Error(ErrorCode::upstream_failed, "The connection broke.",
                                    "TLS read: " + tls_->failure())
                            : io_error(errno, "read");
  } else {
    count_moved(static_cast<size_t>(n));
    reader_->result_ = static_cast<size_t>(n);
  }
  return true;
}

bool Socket::attempt_write() {
  if (aborted_) {
    writer_->result_ = aborted_error();
    return true;
  }
  if (writer_->parts_.empty()) return writable_;  // only waits for readiness
  while (!writer_->parts_.empty() && writer_->parts_.front().iov_len == 0) {
    writer_->parts_ = writer_->parts_.subspan(1);
  }
  while (writable_ && !writer_->parts_.empty()) {
    const ssize_t n = write_some(writer_->parts_);
    if (n == kWouldBlock) {
      writable_ = false;
      return false;
    }
    if (n == kFailed) {
      writer_->result_ = tls_ ? Error(ErrorCode::upstream_failed, "The connection broke.",
                                      "TLS write: " + tls_->failure())
                              : io_error(errno, "write");
      return true;
    }
    count_moved(static_cast<size_t>(n));
    consume(writer_->parts_, static_cast<size_t>(n));
    if (write_timer_.armed()) write_timer_.set(loop_.now() + writer_->patience_);
  }
  return writer_->parts_.empty();
}

// ---- awaiting

// Peers that are always ready would else keep the loop to themselves: a flooding upstream and a
// caller who takes it as fast.
bool Socket::must_yield() {
  const auto turn = static_cast<uint32_t>(loop_.turn());
  if (turn_ != turn) {
    turn_ = turn;
    moved_ = 0;
  }
  if (moved_ < kShareOfTurn) return false;
  loop_.call_again(*this);
  return true;
}

void Socket::count_moved(size_t bytes) {
  moved_ = static_cast<uint32_t>(std::min(moved_ + bytes, kShareOfTurn));
}

bool Socket::ReadAwaiter::await_ready() {
  socket_.reader_ = this;
  if (socket_.must_yield()) return false;
  const bool done = socket_.attempt_read();
  if (done) socket_.reader_ = nullptr;
  return done;
}

void Socket::ReadAwaiter::await_suspend(std::coroutine_handle<> handle) {
  handle_ = handle;
  if (deadline_.at != base::Instant::max()) socket_.read_timer_.set(deadline_.at);
}

void Socket::WriteAwaiter::await_suspend(std::coroutine_handle<> handle) {
  handle_ = handle;
  socket_.writer_ = this;
  if (!socket_.must_yield()) socket_.write_at_turn_end();
  if (deadline_.at == base::Instant::max()) return;
  patience_ = deadline_.at - socket_.loop_.now();
  socket_.write_timer_.set(deadline_.at);
}

void Socket::on_ready(uint32_t events) {
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable_ = true;
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) writable_ = true;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
  if (writer_ != nullptr && (writable_ || aborted_)) write_at_turn_end();
  if (hung_up_ && hangup_ && reader_ == nullptr) return std::exchange(hangup_, nullptr)();
  // Last: the reader may destroy this socket.
  if (reader_ != nullptr && attempt_read()) {
    read_timer_.clear();
    std::exchange(reader_, nullptr)->handle_.resume();
  }
}

void Socket::write_at_turn_end() {
  if (std::exchange(write_queued_, true)) return;
  loop_.call_at_turn_end(*this);
}

void Socket::on_turn_end() {
  write_queued_ = false;
  if (writer_ == nullptr || !attempt_write()) return;
  write_timer_.clear();
  std::exchange(writer_, nullptr)->handle_.resume();  // may destroy this socket
}

void Socket::abort() {
  if (aborted_) return;
  aborted_ = true;
  if (reader_ != nullptr) read_failed(aborted_error());
  if (writer_ != nullptr) write_failed(aborted_error());
}

void Socket::read_failed(Error error) {
  read_timer_.clear();
  reader_->result_ = std::move(error);
  loop_.resume_soon(std::exchange(reader_, nullptr)->handle_);
}

void Socket::write_failed(Error error) {
  write_timer_.clear();
  writer_->result_ = std::move(error);
  loop_.resume_soon(std::exchange(writer_, nullptr)->handle_);
}

void Socket::on_read_timeout(void* socket) {
  auto& self = *static_cast<Socket*>(socket);
  if (self.reader_ != nullptr) self.read_failed(timeout_error("read"));
}

void Socket::on_write_timeout(void* socket) {
  auto& self = *static_cast<Socket*>(socket);
  if (self.writer_ != nullptr) self.write_failed(timeout_error("write"));
}

// ---- setting up

Task<Result<void>> Socket::handshake(std::unique_ptr<TlsSession> session, base::Deadline deadline) {
  session->attach(fd_);
  while (true) {
    const TlsSession::Progress progress = session->handshake();
    if (progress == TlsSession::Progress::done) break;
    if (progress == TlsSession::Progress::failed) {
      co_return Error(ErrorCode::upstream_failed, "The secure connection could not be set up.",
                      "TLS handshake: " + session->failure());
    }
    if (progress == TlsSession::Progress::wants_write) {
      // Handshake flights are far smaller than a socket buffer: an error, not a state to wait in.
      co_return Error(ErrorCode::upstream_failed, "The secure connection could not be set up.",
                      "TLS handshake: the peer does not read");
    }
    readable_ = false;
    Result<size_t> ready = co_await read({}, deadline);
    if (!ready) co_return std::move(ready).error();
  }
  tls_ = std::move(session);
  readable_ = true;
  co_return Result<void>();
}

Task<Result<void>> Socket::wait_connected(base::Deadline deadline) {
  writable_ = false;
  Result<void> ready = co_await write({}, deadline);
  if (!ready) co_return ready;
  int code = 0;
  socklen_t length = sizeof code;
  getsockopt(fd_, SOL_SOCKET, SO_ERROR, &code, &length);
  if (code != 0) co_return io_error(code, "connect");
  co_return Result<void>();
}

Task<Result<std::unique_ptr<Socket>>> connect(const Address& address, base::Deadline deadline,
                                              CancelScope& scope) {
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) co_return io_error(errno, "socket");
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  const int rc = ::connect(fd, address.raw(), address.length);
  const int code = rc == 0 ? 0 : errno;
  auto socket = std::make_unique<Socket>(Loop::current(), fd);
  if (code == 0) co_return std::move(socket);
  if (code != EINPROGRESS) co_return io_error(code, "connect");
  const CancelHook hook(scope, &Socket::abort_hook, socket.get());
  Result<void> connected = co_await socket->wait_connected(deadline);
  if (!connected) co_return std::move(connected).error();
  co_return std::move(socket);
}

}  // namespace deeppool::async
