// Against a real server (DEEPPOOL_TEST_REDIS names it), and against one that misbehaves.
#include <gtest/gtest.h>

#include <cstdlib>

#include "async/listener.h"
#include "base/text.h"
#include "redis/client.h"
#include "testing/redis_server.h"

namespace deeppool::redis {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

base::Deadline in(base::Duration d) {
  return {std::chrono::steady_clock::now() + d};
}

template <class F>
void run_on_loop(F body) {
  async::Loop loop;
  async::TaskGroup group(loop);
  loop.post([&] {
    group.spawn([&]() -> Task<void> {
      co_await body(loop);
      loop.stop();
    });
  });
  loop.run();
}

Task<Result<Reply>> ask(Client& client, std::vector<std::string_view> words,
                        base::Duration limit = seconds(2)) {
  Result<Reply> reply = co_await client.call(words, limit);
  co_return reply;
}

TEST(RedisClient, TalksToARealServer) {
  const auto server = testing::redis_server();
  if (!server) GTEST_SKIP() << "DEEPPOOL_TEST_REDIS names no server";
  async::BlockingPool lookups("lookup", 1, 8);
  run_on_loop([&](async::Loop& loop) -> Task<void> {
    Client client(loop, lookups, *server, nullptr);
    auto reply = co_await ask(client, {"SET", "k", "a\r\nb"});
    EXPECT_EQ(reply->text, "OK");
    reply = co_await ask(client, {"GET", "k"});
    EXPECT_EQ(reply->text, "a\r\nb");
    reply = co_await ask(client, {"EVAL", "return {1, {2, 'x'}, redis.call('TIME')}", "0"});
    EXPECT_EQ(reply->items.size(), 3u);
    reply = co_await ask(client, {"NONSENSE"});
    EXPECT_FALSE(reply.ok());
    EXPECT_EQ(reply.error().detail.substr(0, 3), "ERR");
    reply = co_await ask(client, {"PING"});  // an error answer is no reason to rest
    EXPECT_TRUE(reply.ok());
    co_await client.close();
  });
}

TEST(RedisClient, ServesManyCallsAtOnceWithoutMixingThem) {
  const auto server = testing::redis_server();
  if (!server) GTEST_SKIP() << "DEEPPOOL_TEST_REDIS names no server";
  async::BlockingPool lookups("lookup", 1, 8);
  run_on_loop([&](async::Loop& loop) -> Task<void> {
    Client client(loop, lookups, *server, nullptr);
    async::TaskGroup calls(loop);
    int right = 0;
    for (int i = 0; i < 500; ++i) {
      calls.spawn([&client, &right, i]() -> Task<void> {
        const std::string nonce = std::to_string(i);
        // Every seventh gives up before its answer can be there.
        const bool hasty = i % 7 == 0;
        const base::Duration limit =
            hasty ? base::Duration(std::chrono::microseconds(1)) : seconds(5);
        auto reply = co_await ask(client, {"ECHO", nonce}, limit);
        if (reply.ok()) {
          EXPECT_EQ(reply->text, nonce);
          ++right;
        }
      });
    }
    co_await calls.join(in(seconds(10)));
    EXPECT_GT(right, 0);
    co_await client.close();
  });
}

TEST(RedisClient, LogsInAndChoosesTheDatabase) {
  auto server = testing::redis_server();
  if (!server) GTEST_SKIP() << "DEEPPOOL_TEST_REDIS names no server";
  async::BlockingPool lookups("lookup", 1, 8);
  run_on_loop([&](async::Loop& loop) -> Task<void> {
    Client root(loop, lookups, *server, nullptr);
    auto made = co_await ask(root, {"ACL", "SETUSER", "limits", "on", ">s3cret", "~*", "+@all"});
    EXPECT_TRUE(made.ok());
    Server named = *server;
    named.user = "limits";
    named.password = "s3cret";
    named.database = 7;
    Client client(loop, lookups, named, nullptr);
    auto who = co_await ask(client, {"ACL", "WHOAMI"});
    EXPECT_EQ(who->text, "limits");
    (void)co_await ask(client, {"SET", "only-here", "1"});
    auto elsewhere = co_await ask(root, {"GET", "only-here"});
    EXPECT_EQ(elsewhere->kind, Reply::Kind::nil);
    named.password = "wrong";
    Client stranger(loop, lookups, named, nullptr);
    auto refused = co_await ask(stranger, {"PING"});
    EXPECT_FALSE(refused.ok());
    co_await client.close();
    co_await stranger.close();
    co_await root.close();
  });
}

TEST(RedisClient, SpeaksTlsToWhomItCanVerify) {
  const char* named = std::getenv("DEEPPOOL_TEST_REDIS_TLS");
  if (named == nullptr) GTEST_SKIP() << "DEEPPOOL_TEST_REDIS_TLS names no server";
  const auto parts = base::split(named, ':');
  const std::string address = std::string(parts[0]) + ":" + std::string(parts[1]);
  const auto server = parse_url("rediss://" + address);
  async::BlockingPool lookups("lookup", 1, 8);
  run_on_loop([&](async::Loop& loop) -> Task<void> {
    Client client(loop, lookups, *server, *async::TlsContext::client(std::string(parts[2])));
    auto reply = co_await ask(client, {"PING"});
    EXPECT_TRUE(reply.ok());
    Client distrustful(loop, lookups, *server, *async::TlsContext::client(""));
    auto refused = co_await ask(distrustful, {"PING"});
    EXPECT_FALSE(refused.ok());
    co_await client.close();
    co_await distrustful.close();
  });
}

// What a server of ours does with each connection.
using Behaviour = std::function<Task<void>(async::Socket&)>;

class BadServer {
 public:
  BadServer(async::Loop& loop, Behaviour behaviour) : tasks_(loop) {
    listener_ = std::move(*async::Listener::open(loop, *async::Address::from_ip("127.0.0.1", 0)));
    server.host = "127.0.0.1";
    server.port = listener_->port();
    tasks_.spawn(serve(std::move(behaviour)));
  }
  Task<void> close() {
    listener_->close();
    for (auto& socket : sockets_) socket->abort();
    co_await tasks_.join(in(seconds(5)));
  }
  Server server;
  int accepted = 0;

 private:
  Task<void> serve(Behaviour behaviour) {
    while (auto next = co_await listener_->accept()) {
      ++accepted;
      sockets_.push_back(std::move(next->socket));
      tasks_.spawn(behaviour(*sockets_.back()));
    }
  }
  std::unique_ptr<async::Listener> listener_;
  std::vector<std::unique_ptr<async::Socket>> sockets_;
  async::TaskGroup tasks_;
};

Task<void> say(async::Socket& socket, std::string text) {
  iovec part{text.data(), text.size()};
  (void)co_await socket.write({&part, 1}, in(seconds(1)));
}

TEST(RedisClient, ALateReplyNeverReachesTheNextCall) {
  async::BlockingPool lookups("lookup", 1, 8);
  run_on_loop([&](async::Loop& loop) -> Task<void> {
    int question = 0;
    BadServer bad(loop, [&](async::Socket& socket) -> Task<void> {
      char buffer[256];
      while (true) {
        const auto n = co_await socket.read(buffer, in(seconds(5)));
        if (!n || *n == 0) co_return;
        const int number = ++question;
        async::CancelScope scope;
        if (number == 1) (void)co_await async::sleep_for(milliseconds(60), scope);
        co_await say(socket, ":" + std::to_string(number) + "\r\n");
      }
    });
    Client client(loop, lookups, bad.server, nullptr);
    auto first = co_await ask(client, {"Q"}, milliseconds(20));
    EXPECT_EQ(first.error().code, ErrorCode::timeout);
    auto at_once = co_await ask(client, {"Q"}, milliseconds(20));
    EXPECT_EQ(at_once.error().code, ErrorCode::unavailable) << "it rests after a failure";
    async::CancelScope scope;
    (void)co_await async::sleep_for(milliseconds(70), scope);
    auto second = co_await ask(client, {"Q"}, seconds(1));
    EXPECT_TRUE(second.ok() && second->integer == 2);
    EXPECT_EQ(bad.accepted, 2);
    co_await client.close();
    co_await bad.close();
  });
}

TEST(RedisClient, ClosesWhatAnswersWrongly) {
  async::BlockingPool lookups("lookup", 1, 8);
  for (const std::string answer : {"hello\r\n", ":1\r\n:2\r\n", "$5\r\nabc", ""}) {
    run_on_loop([&](async::Loop& loop) -> Task<void> {
      BadServer bad(loop, [&](async::Socket& socket) -> Task<void> {
        char buffer[256];
        (void)co_await socket.read(buffer, in(seconds(5)));
        co_await say(socket, answer);
        socket.shutdown_write();
      });
      Client client(loop, lookups, bad.server, nullptr);
      auto reply = co_await ask(client, {"PING"});
      EXPECT_FALSE(reply.ok()) << answer;
      co_await client.close();
      co_await bad.close();
    });
  }
}

TEST(RedisClient, ADeadServerCostsOneTryPerPause) {
  async::BlockingPool lookups("lookup", 1, 8);
  run_on_loop([&](async::Loop& loop) -> Task<void> {
    BadServer bad(loop, [](async::Socket& socket) -> Task<void> {
      socket.abort();
      co_return;
    });
    Client client(loop, lookups, bad.server, nullptr);
    async::TaskGroup calls(loop);
    for (int i = 0; i < 1000; ++i) {
      calls.spawn([&client]() -> Task<void> {
        auto reply = co_await ask(client, {"PING"}, milliseconds(20));
        EXPECT_FALSE(reply.ok());
      });
    }
    co_await calls.join(in(seconds(5)));
    EXPECT_LE(bad.accepted, 8);
    co_await client.close();
    co_await bad.close();
  });
}

}  // namespace
}  // namespace deeppool::redis
