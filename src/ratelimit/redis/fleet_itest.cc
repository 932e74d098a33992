// Several instances over one real Redis, judged by an exact log of what all of them admitted. Time
// is a FakeClock, which Redis is told to believe in; Redis itself is started here, so that it can
// be stopped, killed and emptied.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <random>

#include "async/loop.h"
#include "async/task_group.h"
#include "ratelimit/redis/heartbeat.h"
#include "testing/fake_clock.h"

namespace deeppool::ratelimit {
namespace {

using base::ApiKeyId;
using base::Instant;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr ApiKeyId kKey{7};

// A redis-server of one test, on a port that stays its own over restarts.
class PrivateRedis {
 public:
  PrivateRedis() {
    char pattern[] = "/tmp/deeppool-redis-XXXXXX";
    folder_ = mkdtemp(pattern);
    server.host = "127.0.0.1";
    server.port = static_cast<uint16_t>(15000 + getpid() % 15000);
    start();
  }
  ~PrivateRedis() {
    kill();
    std::filesystem::remove_all(folder_);
  }
  static bool available() { return std::getenv("DEEPPOOL_TEST_REDIS") != nullptr; }

  void start() {
    pid_ = fork();
    if (pid_ != 0) return;
    const std::string port = std::to_string(server.port);
    execlp("redis-server", "redis-server", "--bind", "127.0.0.1", "--port", port.c_str(), "--save",
           "", "--appendonly", "no", "--dir", folder_.c_str(), "--logfile", "log", nullptr);
    _exit(127);
  }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  void stop() { ::kill(pid_, SIGSTOP); }
  void go_on() { ::kill(pid_, SIGCONT); }

  redis::Server server;

 private:
  std::string folder_;
  pid_t pid_ = 0;
};

// One instance of the platform, as far as limits are concerned.
struct Instance {
  Instance(async::Loop& loop, async::BlockingPool& lookups, const testing::FakeClock& clock,
           const redis::Server& server, const std::string& name)
      : fleet(clock, name),
        limiter(clock, fleet),
        client(loop, lookups, server, nullptr),
        side{limiter, fleet, client, &clock},
        desk(loop, side),
        heartbeat(side) {}
  Fleet fleet;
  Limiter limiter;
  redis::Client client;
  RedisSide side;
  LeaseDesk desk;
  Heartbeat heartbeat;
};

class Log {
 public:
  void add(Instant when, int64_t tokens) {
    events_.push_back({when, tokens});
    ++admitted;
  }
  // Over the trailing 60 s, (t - 60 s, t].
  int64_t requests(Instant now) { return forget(now), static_cast<int64_t>(events_.size()); }
  int64_t tokens(Instant now) {
    forget(now);
    int64_t sum = 0;
    for (const auto& e : events_) sum += e.tokens;
    return sum;
  }
  int64_t admitted = 0;

 private:
  struct Event {
    Instant when;
    int64_t tokens;
  };
  void forget(Instant now) {
    while (!events_.empty() && events_.front().when <= now - seconds(60)) events_.pop_front();
  }
  std::deque<Event> events_;
};

class Bench {
 public:
  explicit Bench(async::Loop& loop, size_t count, unsigned seed)
      : loop_(loop), random(seed), lookups_("lookup", 1, 16) {
    for (size_t i = 0; i < count; ++i) {
      instances.push_back(std::make_unique<Instance>(loop, lookups_, clock, redis.server,
                                                     "instance-" + std::to_string(i)));
    }
  }
  size_t pick(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random); }

  // Until the server answers: it was only just started.
  Task<void> await_redis() {
    async::CancelScope scope;
    for (int i = 0; i < 200; ++i) {
      bool all = true;
      for (auto& one : instances) {
        const Sent sent = co_await one->heartbeat.beat();
        all = all && sent == Sent::answered && one->fleet.view().mode == Mode::shared;
      }
      if (all) co_return;
      (void)co_await async::sleep_for(milliseconds(20), scope);
    }
    ADD_FAILURE() << "Redis does not answer";
  }

  // Time passes in steps of a heartbeat.
  Task<void> pass(base::Duration time) {
    while (time > base::Duration::zero()) {
      const base::Duration step = std::min<base::Duration>(time, kHeartbeat);
      clock.advance(step);
      time -= step;
      for (auto& one : instances) (void)co_await one->heartbeat.beat();
    }
  }

  // One request, judged.
  Task<bool> ask(size_t i, Limits limits, int64_t tokens) {
    async::CancelScope scope;
    Result<Permit> permit = co_await instances[i]->desk.admit(kKey, limits, tokens, scope);
    const Instant now = clock.now();
    if (!permit) {
      EXPECT_EQ(permit.error().code, ErrorCode::rate_limited) << permit.error().message;
      EXPECT_TRUE(permit.error().retry_after.has_value());
      co_return false;
    }
    log.add(now, limits.tpm > 0 ? tokens : 0);
    highest_requests = std::max(highest_requests, log.requests(now));
    highest_tokens = std::max(highest_tokens, log.tokens(now));
    if (limits.tpm > 0) permit->settle(tokens);
    co_return true;
  }
  Task<void> close() {
    for (auto& one : instances) {
      co_await one->desk.close();
      co_await one->client.close();
    }
  }

  async::Loop& loop_;
  PrivateRedis redis;
  testing::FakeClock clock;
  std::mt19937 random;
  async::BlockingPool lookups_;
  std::vector<std::unique_ptr<Instance>> instances;
  Log log;
  int64_t highest_requests = 0;
  int64_t highest_tokens = 0;
};

template <class F>
void run_bench(size_t count, unsigned seed, F body) {
  async::Loop loop;
  async::TaskGroup group(loop);
  Bench bench(loop, count, seed);
  loop.post([&] {
    group.spawn([&]() -> Task<void> {
      co_await body(bench);
      co_await bench.close();
      loop.stop();
    });
  });
  loop.run();
}

class SharedLimits : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!PrivateRedis::available()) GTEST_SKIP() << "DEEPPOOL_TEST_REDIS is not set: no Redis here";
  }
};

// Bursts at one instance, then at another, pauses at the edges of seconds and of the window.
Task<void> adversary(Bench& bench, Limits limits, int steps) {
  static const base::Duration kPauses[] = {
      milliseconds(1), milliseconds(37),   milliseconds(500), milliseconds(999),
      seconds(1),      milliseconds(4100), seconds(13),       milliseconds(59'900)};
  for (int i = 0; i < steps; ++i) {
    const size_t at = bench.pick(bench.instances.size());
    const size_t burst = 1 + bench.pick(2 * static_cast<size_t>(std::max<int64_t>(limits.rpm, 10)));
    for (size_t k = 0; k < burst; ++k) {
      const auto tokens = static_cast<int64_t>(1 + bench.pick(40));
      const bool admitted = co_await bench.ask(at, limits, tokens);
      if (!admitted && bench.pick(3) != 0) break;
    }
    co_await bench.pass(kPauses[bench.pick(std::size(kPauses))]);
  }
}

TEST_F(SharedLimits, NeverAboveTheLimitInAnyTrailingMinute) {
  const Limits cases[] = {{.rpm = 5, .tpm = 0},
                          {.rpm = 20, .tpm = 300},
                          {.rpm = 60, .tpm = 0},
                          {.rpm = 0, .tpm = 500},
                          {.rpm = 300, .tpm = 4000}};
  unsigned seed = 1;
  for (const Limits limits : cases) {
    run_bench(3, seed++, [&](Bench& bench) -> Task<void> {
      co_await bench.await_redis();
      co_await adversary(bench, limits, 60);
      if (limits.rpm > 0) EXPECT_LE(bench.highest_requests, limits.rpm);
      if (limits.tpm > 0) EXPECT_LE(bench.highest_tokens, limits.tpm);
      EXPECT_GT(bench.log.admitted, limits.rpm > 0 ? 2 * limits.rpm : 50);
    });
  }
}

int64_t calls_of(const Bench& bench) {
  uint64_t calls = 0;
  for (const auto& one : bench.instances) calls += one->fleet.counters.leases;
  return static_cast<int64_t>(calls);
}

TEST_F(SharedLimits, SteadyLoadGetsNearlyAllOfIt) {
  run_bench(3, 9, [](Bench& bench) -> Task<void> {
    co_await bench.await_redis();
    const Limits limits{.rpm = 600, .tpm = 0};
    for (int i = 0; i < 10 * 60 * 3; ++i) {  // three minutes, 20/s offered, 10/s allowed
      (void)co_await bench.ask(bench.pick(3), limits, 0);
      (void)co_await bench.ask(bench.pick(3), limits, 0);
      co_await bench.pass(milliseconds(100));
    }
    EXPECT_LE(bench.highest_requests, 600);
    EXPECT_GE(bench.log.admitted, 3 * 600 * 90 / 100);
  });
}

TEST_F(SharedLimits, MostRequestsAreCoveredWithoutACall) {
  run_bench(3, 8, [](Bench& bench) -> Task<void> {
    co_await bench.await_redis();
    const int64_t before = calls_of(bench);
    for (int i = 0; i < 1500; ++i) {  // 15/s of the 20/s that are allowed
      EXPECT_TRUE(co_await bench.ask(bench.pick(3), {.rpm = 1200, .tpm = 0}, 0)) << i;
      co_await bench.pass(milliseconds(66));
    }
    EXPECT_LT(calls_of(bench) - before, 1500 / 8);
  });
}

TEST_F(SharedLimits, OneInstanceMayHaveAllOfIt) {
  run_bench(3, 2, [](Bench& bench) -> Task<void> {
    co_await bench.await_redis();
    int admitted = 0;
    for (int i = 0; i < 200; ++i) admitted += co_await bench.ask(0, {.rpm = 100, .tpm = 0}, 0);
    EXPECT_EQ(admitted, 100);
  });
}

TEST_F(SharedLimits, TokensThatWereNotUsedComeBack) {
  run_bench(2, 3, [](Bench& bench) -> Task<void> {
    co_await bench.await_redis();
    const Limits limits{.rpm = 0, .tpm = 1000};
    async::CancelScope scope;
    auto first = co_await bench.instances[0]->desk.admit(kKey, limits, 900, scope);
    EXPECT_TRUE(first.ok());
    auto refused = co_await bench.instances[1]->desk.admit(kKey, limits, 800, scope);
    EXPECT_FALSE(refused.ok());
    first->settle(100);
    co_await bench.pass(seconds(8));  // and the lease, which is taken anew once, at its end
    auto second = co_await bench.instances[1]->desk.admit(kKey, limits, 800, scope);
    EXPECT_TRUE(second.ok());
    second->settle(2000);  // more than was reserved: nobody gets anything while it counts
    co_await bench.pass(seconds(1));
    auto third = co_await bench.instances[0]->desk.admit(kKey, limits, 1, scope);
    EXPECT_FALSE(third.ok());
    co_await bench.pass(seconds(64));
    third = co_await bench.instances[0]->desk.admit(kKey, limits, 800, scope);
    EXPECT_TRUE(third.ok());
  });
}

// What happens to Redis in the middle of things, and comes to an end.
enum class Fault { killed, stopped, flushed };

Task<void> strike(Bench& bench, Fault fault) {
  if (fault == Fault::killed) bench.redis.kill();
  if (fault == Fault::stopped) bench.redis.stop();
  if (fault == Fault::flushed) {
    const std::string_view words[] = {"FLUSHALL"};
    Result<redis::Reply> reply = co_await bench.instances[0]->client.call(words, seconds(1));
    EXPECT_TRUE(reply.ok());
  }
}

Task<void> mend(Bench& bench, Fault fault) {
  if (fault == Fault::killed) bench.redis.start();
  if (fault == Fault::stopped) bench.redis.go_on();
  async::CancelScope scope;  // it needs real time to come up, and the clients to try again
  if (fault != Fault::flushed) (void)co_await async::sleep_for(milliseconds(1500), scope);
}

TEST_F(SharedLimits, NeverOpenAndNeverClosedWhenRedisFails) {
  const Limits limits{.rpm = 90, .tpm = 0};
  for (const Fault fault : {Fault::killed, Fault::stopped, Fault::flushed}) {
    for (const unsigned seed : {1u, 2u, 3u}) {
      run_bench(3, seed, [&](Bench& bench) -> Task<void> {
        co_await bench.await_redis();
        // One instance takes all there is, at the worst moment.
        for (int i = 0; i < 60; ++i) (void)co_await bench.ask(seed % 3, limits, 0);
        co_await bench.pass(milliseconds(400));
        co_await strike(bench, fault);
        const int64_t before = bench.log.admitted;
        for (int i = 0; i < 150; ++i) {
          for (int k = 0; k < 4; ++k) (void)co_await bench.ask(bench.pick(3), limits, 0);
          co_await bench.pass(milliseconds(1000));
        }
        EXPECT_GE(bench.log.admitted - before, 150) << "150 s, 90 a minute";
        co_await mend(bench, fault);
        const int64_t at_mend = bench.log.admitted;
        for (int i = 0; i < 200; ++i) {
          for (int k = 0; k < 4; ++k) (void)co_await bench.ask(bench.pick(3), limits, 0);
          co_await bench.pass(milliseconds(1000));
        }
        EXPECT_GE(bench.log.admitted - at_mend, 230) << "200 s, 90 a minute";
        EXPECT_LE(bench.highest_requests, limits.rpm * 105 / 100);
        for (auto& one : bench.instances) EXPECT_EQ(one->fleet.view().mode, Mode::shared);
      });
    }
  }
}

// Each instance goes on with what it has used and what it has in reserve.
TEST_F(SharedLimits, AYoungKeyIsNotClosedWhenRedisFails) {
  const Limits limits{.rpm = 240, .tpm = 0};
  for (const Fault fault : {Fault::stopped, Fault::flushed, Fault::killed}) {
    run_bench(3, 4, [&](Bench& bench) -> Task<void> {
      co_await bench.await_redis();
      int offered = 0, admitted = 0;
      const auto load = [&](int rounds) -> Task<void> {
        for (int i = 0; i < rounds; ++i) {
          for (size_t k = 0; k < 3; ++k, ++offered) admitted += co_await bench.ask(k, limits, 0);
          co_await bench.pass(milliseconds(833));
        }
      };
      co_await load(10);
      co_await strike(bench, fault);
      offered = admitted = 0;
      co_await load(20);
      EXPECT_GE(admitted, offered * 9 / 10);
      co_await load(60);
      EXPECT_GE(admitted, offered / 2);
      EXPECT_LE(bench.highest_requests, limits.rpm * 105 / 100);
    });
  }
}

TEST_F(SharedLimits, APauseOfOneInstanceOpensNothing) {
  run_bench(3, 5, [](Bench& bench) -> Task<void> {
    co_await bench.await_redis();
    const Limits limits{.rpm = 60, .tpm = 0};
    for (int round = 0; round < 12; ++round) {
      for (int i = 0; i < 30; ++i) (void)co_await bench.ask(bench.pick(3), limits, 0);
      bench.clock.advance(milliseconds(1 + static_cast<int>(bench.pick(40'000))));  // no heartbeat
      for (int i = 0; i < 30; ++i) (void)co_await bench.ask(bench.pick(3), limits, 0);
      co_await bench.pass(seconds(2));
    }
    EXPECT_LE(bench.highest_requests, 63);
  });
}

}  // namespace
}  // namespace deeppool::ratelimit
