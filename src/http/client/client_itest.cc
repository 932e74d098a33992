// The upstream client against a peer that says exactly what a row of a table tells it to.
#include <gtest/gtest.h>
#include <unistd.h>

#include "async/listener.h"
#include "async/task_group.h"
#include "http/client/client.h"

namespace deeppool::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

base::Deadline in(base::Duration d) {
  return {std::chrono::steady_clock::now() + d};
}

// What the peer does with one connection: an answer per request, then `close`, or waits for the
// end.
struct Script {
  std::vector<std::string> answers;
  bool close = false;
};

class Peer {
 public:
  Peer(async::Loop& loop, std::vector<Script> scripts)
      : loop_(loop), scripts_(std::move(scripts)), tasks_(loop) {
    listener_ = std::move(*async::Listener::open(loop, *async::Address::from_ip("127.0.0.1", 0)));
    tasks_.spawn(accept());
  }
  Origin origin() const { return {false, "127.0.0.1", listener_->port(), ""}; }
  int accepted() const { return accepted_; }
  int requests() const { return requests_; }
  Task<void> stop() {
    listener_->close();
    for (auto& s : sockets_) s->abort();
    co_await tasks_.join(in(seconds(5)));
  }

 private:
  Task<void> accept() {
    while (true) {
      auto next = co_await listener_->accept();
      if (!next) co_return;
      sockets_.push_back(std::move(next->socket));
      const size_t i = std::min<size_t>(accepted_++, scripts_.size() - 1);
      tasks_.spawn(play(sockets_.back().get(), scripts_[i], sockets_.size() - 1));
    }
  }
  Task<void> play(async::Socket* socket, Script script, size_t slot) {
    for (std::string& answer : script.answers) {
      char buffer[4096];
      Result<size_t> n = co_await socket->read(buffer, in(seconds(5)));
      if (!n || *n == 0) co_return;
      ++requests_;
      iovec part{answer.data(), answer.size()};
      Result<void> done = co_await socket->write({&part, 1}, in(seconds(5)));
      if (!done) co_return;
    }
    if (script.close) {
      sockets_[slot].reset(new async::Socket(loop_, dup(2)));  // closes the peer's end
      co_return;
    }
    char buffer[16];
    Result<size_t> end = co_await socket->read(buffer, in(seconds(5)));
    (void)end;
  }
  async::Loop& loop_;
  std::vector<Script> scripts_;
  std::unique_ptr<async::Listener> listener_;
  std::vector<std::unique_ptr<async::Socket>> sockets_;
  int accepted_ = 0;
  int requests_ = 0;
  async::TaskGroup tasks_;
};

class ClientTest : public testing::Test {
 protected:
  // Runs `body` with a peer that plays `scripts`, one per connection.
  template <class F>
  void with_peer(std::vector<Script> scripts, F body) {
    async::TaskGroup group(loop_);
    loop_.post([&] {
      group.spawn([&, body]() -> Task<void> {
        Peer peer(loop_, scripts);
        {
          Client client(loop_, pool_, contexts_, proxy_);
          co_await body(client, peer);
        }
        co_await peer.stop();
        loop_.stop();
      });
    });
    loop_.run();
  }

  // One request; the whole body, or "error:<code>".
  Task<std::string> ask(Client& client, Peer& peer) {
    async::CancelScope scope;
    const OutgoingRequest request{Method::get, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", {}};
    auto reply = co_await client.request(peer.origin(), request, in(seconds(2)), scope);
    if (!reply) co_return "error:" + std::string(base::to_string(reply.error().code));
    std::string body;
    while (true) {
      auto piece = co_await (*reply)->read(in(seconds(2)));
      if (!piece) co_return "error:" + std::string(base::to_string(piece.error().code));
      if (piece->empty()) co_return std::to_string((*reply)->head().status) + " " + body;
      body += *piece;
    }
  }

  async::Loop loop_;
  async::BlockingPool pool_{"test", 1, 8};
  TlsContexts contexts_;
  Proxy proxy_;
};

TEST_F(ClientTest, FramesOfEveryKind) {
  const struct {
    const char* name;
    Script script;
    std::string expected;
  } cases[] = {
      {"length", {{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"}}, "200 hi"},
      {"chunked",
       {{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1;x\r\ni\r\n0\r\n\r\n"}},
       "200 hi"},
      {"until close", {{"HTTP/1.1 200 OK\r\n\r\nhi"}, true}, "200 hi"},
      {"no body", {{"HTTP/1.1 204 No\r\n\r\n"}}, "204 "},
      {"informational first",
       {{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\nHTTP/1.1 200 "
         "OK\r\nContent-Length: 0\r\n\r\n"}},
       "200 "},
      {"cut length",
       {{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi"}, true},
       "error:upstream_failed"},
      {"cut chunk",
       {{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi"}, true},
       "error:upstream_failed"},
      {"bad chunk",
       {{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}},
       "error:upstream_failed"},
      {"not HTTP", {{"SSH-2.0-OpenSSH\r\n\r\n"}}, "error:upstream_failed"},
      {"both framings",
       {{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nhi"}},
       "error:upstream_failed"},
      {"closed at once", {{}, true}, "error:upstream_failed"},
      {"endless head",
       {{"HTTP/1.1 200 OK\r\n" + std::string(40000, 'x')}},
       "error:upstream_failed"},
  };
  for (const auto& c : cases) {
    with_peer({c.script}, [&](Client& client, Peer& peer) -> Task<void> {
      const std::string got = co_await ask(client, peer);
      EXPECT_EQ(got, c.expected) << c.name;
    });
  }
}

TEST_F(ClientTest, KeepsACleanConnectionAndOnlyThat) {
  const std::string good = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
  with_peer({{{good, good}}}, [&](Client& client, Peer& peer) -> Task<void> {
    EXPECT_EQ(co_await ask(client, peer), "200 hi");
    EXPECT_EQ(co_await ask(client, peer), "200 hi");
    EXPECT_EQ(peer.accepted(), 1);
  });
  for (const std::string& spoiled :
       {std::string("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"),
        good + "extra"}) {
    with_peer({{{spoiled, good}}, {{good}}}, [&](Client& client, Peer& peer) -> Task<void> {
      EXPECT_EQ(co_await ask(client, peer), "200 hi");
      EXPECT_EQ(co_await ask(client, peer), "200 hi");
      EXPECT_EQ(peer.accepted(), 2) << spoiled;
    });
  }
}

TEST_F(ClientTest, AnExchangeCutShortIsNeverPooled) {
  const std::string long_answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst part";
  const std::string good = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
  with_peer({{{long_answer}}, {{good}}}, [&](Client& client, Peer& peer) -> Task<void> {
    {
      async::CancelScope scope;
      const OutgoingRequest request{Method::get, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", {}};
      auto reply = co_await client.request(peer.origin(), request, in(seconds(2)), scope);
      auto piece = co_await (*reply)->read(in(seconds(2)));
      EXPECT_EQ(*piece, "first part");
      scope.cancel(async::CancelReason::caller_gone);
      piece = co_await (*reply)->read(in(seconds(2)));
      EXPECT_EQ(piece.error().code, ErrorCode::cancelled);
    }
    EXPECT_EQ(client.idle_connections(), 0u);
    EXPECT_EQ(co_await ask(client, peer), "200 hi");
    EXPECT_EQ(peer.accepted(), 2);
  });
}

TEST_F(ClientTest, AStaleConnectionIsReplacedOnce) {
  const std::string good = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
  // The first connection dies on its second request without a byte of an answer.
  with_peer({{{good, ""}, true}, {{good}}}, [&](Client& client, Peer& peer) -> Task<void> {
    EXPECT_EQ(co_await ask(client, peer), "200 hi");
    EXPECT_EQ(co_await ask(client, peer), "200 hi");
    EXPECT_EQ(peer.accepted(), 2);
  });
  // A fresh one that dies is not tried again: the upstream may have worked on it.
  with_peer({{{""}, true}, {{good}}}, [&](Client& client, Peer& peer) -> Task<void> {
    EXPECT_EQ(co_await ask(client, peer), "error:upstream_failed");
    EXPECT_EQ(peer.accepted(), 1);
  });
}

TEST_F(ClientTest, SilenceIsATimeout) {
  with_peer({{{""}}}, [&](Client& client, Peer& peer) -> Task<void> {
    async::CancelScope scope;
    const OutgoingRequest request{Method::get, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", {}};
    auto reply = co_await client.request(peer.origin(), request, in(milliseconds(30)), scope);
    EXPECT_EQ(reply.error().code, ErrorCode::timeout);
  });
}

TEST_F(ClientTest, ACaFileThatDoesNotLoadIsTheUpstreamsFailure) {
  with_peer({Script{}}, [&](Client& client, Peer& peer) -> Task<void> {
    async::CancelScope scope;
    const OutgoingRequest request{Method::get, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", {}};
    Origin origin = peer.origin();
    origin.tls = true;
    origin.ca_file = "/etc/passwd";
    auto reply = co_await client.request(origin, request, in(seconds(2)), scope);
    const Error& error = reply.error();
    EXPECT_EQ(error.code, ErrorCode::upstream_failed);
    EXPECT_EQ(error.param, "");
    EXPECT_EQ(error.message.find(origin.ca_file), std::string::npos) << error.message;
    EXPECT_NE(error.detail.find(origin.ca_file), std::string::npos) << error.detail;
  });
}

TEST(Proxy, ParsesAndApplies) {
  const auto proxy = parse_proxy("http://u:p%40@proxy.example:3128/", "localhost, .internal");
  ASSERT_TRUE(proxy.ok());
  EXPECT_EQ(proxy->host, "proxy.example");
  EXPECT_EQ(proxy->port, 3128);
  EXPECT_EQ(proxy->authorization, "Basic dTpwQA==");
  EXPECT_TRUE(proxy->applies_to({true, "api.example.com", 443, ""}));
  EXPECT_FALSE(proxy->applies_to({false, "api.example.com", 80, ""}));
  EXPECT_FALSE(proxy->applies_to({true, "localhost", 443, ""}));
  EXPECT_FALSE(proxy->applies_to({true, "llm.internal", 443, ""}));
  EXPECT_FALSE(parse_proxy("socks5://x:1", "").ok());
}

}  // namespace
}  // namespace deeppool::http
