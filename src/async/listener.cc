#include "async/listener.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/log.h"

namespace deeppool::async {
namespace {

constexpr int kBacklog = 4096;  // the kernel cuts it to net.core.somaxconn
constexpr auto kExhaustedPause = std::chrono::milliseconds(100);
// How much the kernel takes from us beyond what the peer's window allows. Without it a peer that
// does not read costs megabytes of kernel memory each, and the work of filling them.
constexpr int kMaxUnsent = 64 * 1024;

Error listen_error(int code, const Address& address) {
  const std::string where = address.ip() + ":" + std::to_string(address.port());
  const ErrorCode kind = code == EADDRINUSE ? ErrorCode::conflict : ErrorCode::unavailable;
  std::string message = "cannot listen on " + where + ": " + std::strerror(code);
  if (code == EADDRINUSE)
    message += "; another program uses this port, stop it or choose another port";
  if (code == EACCES) message += "; ports below 1024 are for root or CAP_NET_BIND_SERVICE";
  return Error(kind, std::move(message));
}

// SO_REUSEPORT would let a second instance of ours share the port in silence: a plain bind finds it
// first.
bool taken(const Address& address) {
  if (address.port() == 0) return false;
  const int probe = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int one = 1;
  setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  const bool in_use = bind(probe, address.raw(), address.length) != 0 && errno == EADDRINUSE;
  ::close(probe);
  return in_use;
}

}  // namespace

Result<void> check_port_free(const Address& address) {
  if (taken(address)) return listen_error(EADDRINUSE, address);
  return {};
}

Result<std::unique_ptr<Listener>> Listener::open(Loop& loop, const Address& address) {
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return listen_error(errno, address);
  const int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
  // Accepted sockets inherit both.
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kMaxUnsent, sizeof kMaxUnsent);
  if (bind(fd, address.raw(), address.length) != 0 || listen(fd, kBacklog) != 0) {
    const int code = errno;
    ::close(fd);
    return listen_error(code, address);
  }
  Address bound;
  bound.length = sizeof bound.storage;
  getsockname(fd, reinterpret_cast<sockaddr*>(&bound.storage), &bound.length);
  return std::unique_ptr<Listener>(new Listener(loop, fd, bound.port()));
}

Listener::Listener(Loop& loop, int fd, uint16_t port)
    : loop_(loop), fd_(fd), port_(port), arrival_(loop) {
  loop_.watch(fd_, *this);
}

Listener::~Listener() {
  shut();
}

void Listener::close() {
  closing_ = true;
  arrival_.wake();
}

void Listener::shut() {
  if (fd_ < 0) return;
  loop_.forget(fd_, *this);
  ::close(std::exchange(fd_, -1));
}

void Listener::on_ready(uint32_t) {
  arrival_.wake();
}

Task<std::optional<Listener::Accepted>> Listener::accept() {
  while (fd_ >= 0) {
    Address peer;
    peer.length = sizeof peer.storage;
    const int fd = accept4(fd_, reinterpret_cast<sockaddr*>(&peer.storage), &peer.length,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) co_return Accepted{std::make_unique<Socket>(loop_, fd), peer};
    base::Deadline deadline;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      log::error("cannot accept connections: out of descriptors or memory", {{"errno", errno}});
      deadline.at = std::chrono::steady_clock::now() + kExhaustedPause;
    } else if (errno != EAGAIN) {
      continue;  // the connection died in the queue
    }
    if (closing_) break;
    co_await arrival_.park(deadline);
  }
  shut();
  co_return std::nullopt;
}

}  // namespace deeppool::async
