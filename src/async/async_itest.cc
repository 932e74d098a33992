// Real sockets, real time (short): the loop, tasks, timers, cancellation and the pool.
#include <gtest/gtest.h>

#include <thread>

#include "async/blocking_pool.h"
#include "async/listener.h"
#include "async/socket.h"
#include "async/task_group.h"

namespace deeppool::async {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

base::Deadline in(base::Duration d) {
  return {std::chrono::steady_clock::now() + d};
}

// Runs one coroutine to its end on a loop of its own.
template <class F>
void run_on_loop(F body) {
  Loop loop;
  TaskGroup group(loop);
  loop.post([&] {
    group.spawn([&]() -> Task<void> {
      co_await body(loop);
      loop.stop();
    });
  });
  loop.run();
}

Task<Result<size_t>> write_text(Socket& socket, std::string text) {
  iovec part{text.data(), text.size()};
  Result<void> done = co_await socket.write({&part, 1}, in(seconds(5)));
  if (!done) co_return std::move(done).error();
  co_return text.size();
}

struct Pair {
  std::unique_ptr<Listener> listener;
  std::unique_ptr<Socket> client;
  std::unique_ptr<Socket> server;
};

Task<Pair> connected_pair(Loop& loop) {
  Pair pair;
  pair.listener = std::move(*Listener::open(loop, *Address::from_ip("127.0.0.1", 0)));
  const Address to = *Address::from_ip("127.0.0.1", pair.listener->port());
  CancelScope scope;
  auto client = co_await connect(to, in(seconds(5)), scope);
  pair.client = std::move(*client);
  auto accepted = co_await pair.listener->accept();
  pair.server = std::move(accepted->socket);
  co_return pair;
}

TEST(Socket, CarriesBytesAndTheEnd) {
  run_on_loop([](Loop& loop) -> Task<void> {
    Pair pair = co_await connected_pair(loop);
    EXPECT_TRUE(co_await write_text(*pair.client, "hello"));
    Result<size_t> n = co_await pair.server->read(loop.scratch(), in(seconds(5)));
    EXPECT_EQ(std::string(loop.scratch().data(), *n), "hello");
    pair.client.reset();
    n = co_await pair.server->read(loop.scratch(), in(seconds(5)));
    EXPECT_EQ(*n, 0u);
  });
}

TEST(Socket, AWriteLargerThanTheBuffersWaitsForTheReader) {
  run_on_loop([](Loop& loop) -> Task<void> {
    Pair pair = co_await connected_pair(loop);
    const std::string big(8 << 20, 'x');
    TaskGroup group(loop);
    group.spawn([&]() -> Task<void> { EXPECT_TRUE(co_await write_text(*pair.client, big)); });
    size_t total = 0;
    while (total < big.size()) {
      Result<size_t> n = co_await pair.server->read(loop.scratch(), in(seconds(5)));
      EXPECT_TRUE(n.ok());
      if (!n || *n == 0) break;
      total += *n;
    }
    EXPECT_EQ(total, big.size());
    EXPECT_TRUE(co_await group.join(in(seconds(5))));
  });
}

TEST(Socket, PeersThatAreAlwaysReadyLeaveTheLoopToOthers) {
  run_on_loop([](Loop& loop) -> Task<void> {
    Pair pair = co_await connected_pair(loop);
    bool others_ran = false;
    loop.post([&] { others_ran = true; });
    const std::string text(16 * 1024, 'x');
    for (int round = 0; round < 1000 && !others_ran; ++round) {
      EXPECT_TRUE(co_await write_text(*pair.client, text));
      Result<size_t> n =
          co_await pair.server->read(loop.scratch().first(text.size()), in(seconds(5)));
      EXPECT_TRUE(n.ok());
    }
    EXPECT_TRUE(others_ran);
  });
}

// The order on which the spool relies: what a turn has to say is noted, then the hook runs, then
// the bytes leave; and the same for those who go on because their bytes have left.
TEST(Socket, NothingIsSentBeforeTheHookOfItsTurn) {
  std::vector<std::string> story;
  Loop loop;
  TaskGroup group(loop);
  loop.before_turn_end([&] {
    if (!story.empty() && story.back() != "hook") story.push_back("hook");
  });
  loop.post([&] {
    group.spawn([&]() -> Task<void> {
      Pair pair = co_await connected_pair(loop);
      for (const char* text : {"one", "two"}) {
        story.push_back(text);
        EXPECT_TRUE(co_await write_text(*pair.client, text));
        EXPECT_EQ(story.back(), "hook");
      }
      loop.stop();
    });
  });
  loop.run();
  EXPECT_EQ(story, (std::vector<std::string>{"one", "hook", "two", "hook"}));
}

TEST(Socket, ReadTimesOutAndCanBeAborted) {
  run_on_loop([](Loop& loop) -> Task<void> {
    Pair pair = co_await connected_pair(loop);
    Result<size_t> n = co_await pair.server->read(loop.scratch(), in(milliseconds(20)));
    EXPECT_FALSE(n.ok());
    if (!n) {
      EXPECT_EQ(n.error().code, ErrorCode::timeout);
    }
    CancelScope scope;
    const CancelHook hook(scope, &Socket::abort_hook, pair.server.get());
    TaskGroup group(loop);
    group.spawn([&]() -> Task<void> {
      CancelScope never;
      co_await sleep_for(milliseconds(10), never);
      scope.cancel(CancelReason::caller_gone);
    });
    n = co_await pair.server->read(loop.scratch(), in(seconds(5)));
    EXPECT_FALSE(n.ok());
    if (!n) {
      EXPECT_EQ(n.error().code, ErrorCode::cancelled);
    }
    co_await group.join(in(seconds(5)));
  });
}

TEST(Socket, SaysWhenThePeerHangsUpWhileNobodyReads) {
  run_on_loop([](Loop& loop) -> Task<void> {
    Pair pair = co_await connected_pair(loop);
    Parker gone(loop);
    pair.server->on_hangup([&] { gone.wake(); });
    pair.client->reset_on_close();
    pair.client.reset();
    const Parker::Outcome outcome = co_await gone.park(in(seconds(5)));
    EXPECT_EQ(outcome, Parker::Outcome::woken);
    EXPECT_TRUE(pair.server->stale());
  });
}

TEST(Connect, RefusedIsAnError) {
  run_on_loop([](Loop& loop) -> Task<void> {
    uint16_t port = 0;
    {
      auto listener = Listener::open(loop, *Address::from_ip("127.0.0.1", 0));
      port = (*listener)->port();
    }
    const Address to = *Address::from_ip("127.0.0.1", port);
    CancelScope scope;
    auto socket = co_await connect(to, in(seconds(5)), scope);
    EXPECT_FALSE(socket.ok());
    if (!socket) {
      EXPECT_NE(socket.error().detail.find("refused"), std::string::npos);
    }
  });
}

TEST(Listener, FindsATakenPort) {
  Loop loop;
  auto first = Listener::open(loop, *Address::from_ip("127.0.0.1", 0));
  const Address same = *Address::from_ip("127.0.0.1", (*first)->port());
  const Result<void> free = check_port_free(same);
  ASSERT_FALSE(free.ok());
  EXPECT_EQ(free.error().code, ErrorCode::conflict);
}

TEST(Timer, MovingLaterIsHonouredAndOrderHolds) {
  run_on_loop([](Loop& loop) -> Task<void> {
    struct Mark {
      std::vector<int>* order;
      int id;
    };
    std::vector<int> order;
    Mark one{&order, 1};
    Mark two{&order, 2};
    const auto fire = [](void* m) {
      static_cast<Mark*>(m)->order->push_back(static_cast<Mark*>(m)->id);
    };
    Timer first(loop, fire, &one);
    Timer second(loop, fire, &two);
    const auto now = std::chrono::steady_clock::now();
    first.set(now + milliseconds(5));
    first.set(now + milliseconds(40));
    second.set(now + milliseconds(20));
    CancelScope never;
    co_await sleep_for(milliseconds(80), never);
    EXPECT_EQ(order, (std::vector<int>{2, 1}));
  });
}

TEST(BlockingPool, ReturnsValuesErrorsTimeoutsAndRefusals) {
  BlockingPool pool("test", 1, 1);
  run_on_loop([&](Loop&) -> Task<void> {
    Result<int> value = co_await pool.run([]() -> Result<int> { return 7; }, in(seconds(5)));
    EXPECT_EQ(*value, 7);
    Result<int> late = co_await pool.run(
        []() -> Result<int> {
          std::this_thread::sleep_for(milliseconds(60));
          return 1;
        },
        in(milliseconds(5)));
    EXPECT_EQ(late.error().code, ErrorCode::timeout);
    // The thread is still busy: one more fits into the queue, the next is refused.
    TaskGroup group(Loop::current());
    group.spawn([&]() -> Task<void> {
      Result<int> queued = co_await pool.run([]() -> Result<int> { return 2; }, in(seconds(5)));
      EXPECT_EQ(*queued, 2);
    });
    Result<int> refused = co_await pool.run([]() -> Result<int> { return 3; }, in(seconds(5)));
    EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
    co_await group.join(in(seconds(5)));
  });
}

TEST(TaskGroup, JoinGivesUpAtItsDeadline) {
  run_on_loop([](Loop& loop) -> Task<void> {
    CancelScope scope;
    TaskGroup group(loop);
    group.spawn([&]() -> Task<void> { co_await sleep_for(seconds(30), scope); });
    EXPECT_FALSE(co_await group.join(in(milliseconds(10))));
    scope.cancel(CancelReason::caller_gone);
    EXPECT_TRUE(co_await group.join(in(seconds(5))));
  });
}

}  // namespace
}  // namespace deeppool::async
