// The gate between a blocking client and an echo server, over real sockets.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "chaosgate/gate.h"

namespace deeppool::chaos {
namespace {

class Peer {
 public:
  explicit Peer(uint16_t port, int patience_ms = 5000)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{patience_ms / 1000, patience_ms % 1000 * 1000};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to);
  }
  ~Peer() { close(fd_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void send(const std::string& bytes) { ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  // `size` bytes, or what came before the end, a reset or the patience's end; see error().
  std::string read(size_t size) {
    std::string got;
    while (got.size() < size) {
      char buffer[4096];
      const ssize_t n = recv(fd_, buffer, std::min(sizeof buffer, size - got.size()), 0);
      error_ = n < 0 ? errno : 0;
      if (n <= 0) break;
      got.append(buffer, static_cast<size_t>(n));
    }
    return got;
  }
  int error() const { return error_; }

 private:
  int fd_;
  int error_ = 0;
};

// Echoes each connection in a thread of its own until its client ends.
class EchoServer {
 public:
  EchoServer() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof own;
    bind(fd_, reinterpret_cast<sockaddr*>(&own), sizeof own);
    listen(fd_, 16);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&own), &length);
    port_ = ntohs(own.sin_port);
    accepting_ = std::thread([this] { accept_all(); });
  }
  ~EchoServer() {
    shutdown(fd_, SHUT_RDWR);
    accepting_.join();
    for (std::thread& thread : echoes_) thread.join();
    close(fd_);
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  void accept_all() {
    for (int fd = accept(fd_, nullptr, nullptr); fd >= 0; fd = accept(fd_, nullptr, nullptr)) {
      echoes_.emplace_back([fd] {
        char buffer[4096];
        for (ssize_t n = recv(fd, buffer, sizeof buffer, 0); n > 0;
             n = recv(fd, buffer, sizeof buffer, 0)) {
          ::send(fd, buffer, static_cast<size_t>(n), MSG_NOSIGNAL);
        }
        close(fd);
      });
    }
  }
  int fd_;
  uint16_t port_ = 0;
  std::thread accepting_;
  std::vector<std::thread> echoes_;
};

class GateTest : public testing::Test {
 protected:
  GateTest() : gate_(*Gate::start(echo_.address(), 0)), control_(gate_->control_port()) {}
  void tell(const std::string& command) {
    control_.send(command + "\n");
    EXPECT_EQ(control_.read(3), "ok\n") << command;
  }
  EchoServer echo_;
  std::unique_ptr<Gate> gate_;
  Peer control_;
};

TEST_F(GateTest, PassesBytesBothWays) {
  Peer peer(gate_->port());
  const std::string bytes(1 << 20, 'x');
  std::thread sender([&] { peer.send(bytes); });
  EXPECT_EQ(peer.read(bytes.size()), bytes);
  sender.join();
}

TEST_F(GateTest, DelaysAndSlices) {
  tell("up.delay_ms=30");
  tell("down.slice=1");
  Peer peer(gate_->port());
  const auto before = std::chrono::steady_clock::now();
  peer.send("hello");
  EXPECT_EQ(peer.read(5), "hello");
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(30));
}

TEST_F(GateTest, LimitsBandwidth) {
  tell("down.slice=10");
  tell("down.bandwidth=1000");
  Peer peer(gate_->port());
  const auto before = std::chrono::steady_clock::now();
  peer.send(std::string(100, 'x'));
  EXPECT_EQ(peer.read(100).size(), 100u);
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(80));
}

TEST_F(GateTest, Corrupts) {
  tell("up.corrupt_every=2");
  Peer peer(gate_->port());
  peer.send("aaaa");
  EXPECT_EQ(peer.read(4), "a`a`");
}

TEST_F(GateTest, CutsAfterSoManyBytes) {
  tell("down.cut_after=3");
  Peer peer(gate_->port());
  peer.send("hello");
  EXPECT_LE(peer.read(5).size(), 3u);  // a reset may overtake them
  EXPECT_EQ(peer.error(), ECONNRESET);
}

TEST_F(GateTest, StopsAndSwallowsUntilCalm) {
  for (const char* toxic : {"up.stop=1", "down.swallow=1"}) {
    Peer peer(gate_->port(), 100);
    tell(toxic);
    peer.send("hello");
    EXPECT_EQ(peer.read(5), "") << toxic;
    EXPECT_EQ(peer.error(), EAGAIN) << toxic;
    tell("calm");
    if (std::string(toxic) == "up.stop=1") {
      EXPECT_EQ(peer.read(5), "hello");
    }
  }
}

TEST_F(GateTest, RefusesAndEndsConnections) {
  Peer open(gate_->port());
  open.send("x");
  EXPECT_EQ(open.read(1), "x");
  tell("cut");
  EXPECT_EQ(open.read(1), "");
  EXPECT_EQ(open.error(), ECONNRESET);
  Peer orderly(gate_->port());
  orderly.send("x");
  EXPECT_EQ(orderly.read(1), "x");
  tell("close");
  EXPECT_EQ(orderly.read(1), "");
  EXPECT_EQ(orderly.error(), 0);
  tell("refuse=1");
  Peer refused(gate_->port());
  EXPECT_EQ(refused.read(1), "");
  control_.send("stats\n");
  EXPECT_NE(control_.read(60).find("\"refused\":1"), std::string::npos);
}

TEST_F(GateTest, AnswersBadCommands) {
  control_.send("up.colour=1\n");
  EXPECT_EQ(control_.read(6), "error:");
}

}  // namespace
}  // namespace deeppool::chaos
