// The access log on a real loop, pool and file: what a line says, that nothing can forge one, and
// what happens when the sink blocks or moves away.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "http/codec/head_parser.h"
#include "http/middleware/access_log.h"
#include "testing/fake_clock.h"

namespace deeppool::http {
namespace {

namespace json = boost::json;

Task<void> noop(Exchange&) {
  co_return;
}

class AccessLogTest : public ::testing::Test {
 protected:
  AccessLogTest() {
    std::string name = ::testing::TempDir() + "access_log_XXXXXX";
    directory_ = mkdtemp(name.data());
    path_ = directory_ + "/logs/access.log";
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends_);
  }
  ~AccessLogTest() override {
    ::close(ends_[1]);
    std::filesystem::remove_all(directory_);
  }

  // Runs `body` on a loop with a log to `target`.
  template <class F>
  void run(const std::string& target, F body) {
    async::Loop loop;
    async::BlockingPool pool("log", 1, 4);
    auto sink = AccessLogSink::open(target);
    ASSERT_TRUE(sink) << sink.error().message;
    async::Socket socket(loop, ends_[0]);
    AccessLog access_log({loop, pool, **sink, clock_});
    async::TaskGroup tasks(loop);
    loop.post([&] {
      tasks.spawn([&]() -> Task<void> {
        co_await body(access_log, **sink, socket);
        co_await access_log.close();
        loop.stop();
      });
    });
    loop.run();
  }

  std::vector<json::object> lines(const std::string& path) {
    std::ifstream in(path);
    std::vector<json::object> out;
    for (std::string line; std::getline(in, line);) out.push_back(json::parse(line).as_object());
    return out;
  }

  static constexpr std::string_view kHead =
      "GET /v1/models/x?key=secret HTTP/1.1\r\nHost: a\r\n\r\n";

  testing::FakeClock clock_;
  std::string directory_;
  std::string path_;
  int ends_[2];
};

TEST_F(AccessLogTest, SaysWhatHappenedAndNoSecrets) {
  run(path_, [this](AccessLog& access_log, AccessLogSink&, async::Socket& socket) -> Task<void> {
    crypto::HashMemo memo;
    Exchange x(socket, "10.1.2.3", memo);
    EXPECT_TRUE(parse_request_head(kHead, x.head));
    x.started = clock_.now() - std::chrono::microseconds(12'345);
    base::SystemRandom random;
    x.trace = TraceContext::from_header(std::nullopt, random);
    x.user.id = base::UserId{7};
    add_log_field(x, "model", "gpt\"\n\x1b[31m{\"ts\":1}");
    add_log_field(x, "input_tokens", 42);
    Result<void> sent = co_await x.send(200, "text/plain", "hi");
    EXPECT_TRUE(sent);
    const Route route{Method::get, "/v1/models/{id}", Access::api_key, 0, noop};
    access_log.add(x, &route);
  });
  const auto all = lines(path_);
  ASSERT_EQ(all.size(), 1u);
  const json::object& line = all[0];
  EXPECT_EQ(line.at("ts"), "2027-01-15T08:00:00.000Z");
  EXPECT_EQ(line.at("method"), "GET");
  EXPECT_EQ(line.at("path"), "/v1/models/x");
  EXPECT_EQ(line.at("route"), "/v1/models/{id}");
  EXPECT_EQ(line.at("status"), 200);
  EXPECT_EQ(line.at("total_ms"), 12.345);
  EXPECT_EQ(line.at("ip"), "10.1.2.3");
  EXPECT_EQ(line.at("user"), 7);
  EXPECT_EQ(line.at("model"), "gpt\"\n\x1b[31m{\"ts\":1}");
  EXPECT_EQ(line.at("input_tokens"), 42);
  EXPECT_EQ(line.at("outcome"), "answered");
  EXPECT_TRUE(line.contains("request_id") && line.contains("trace_id") && line.contains("ttft_ms"));
}

TEST_F(AccessLogTest, TellsHowItEnded) {
  run(path_, [](AccessLog& access_log, AccessLogSink&, async::Socket& socket) -> Task<void> {
    crypto::HashMemo memo;
    Exchange unanswered(socket, "::1", memo);
    access_log.add(unanswered, nullptr);
    Exchange cut(socket, "::1", memo);
    cut.start_stream(200, "text/plain");
    access_log.add(cut, nullptr);
    cut.scope.cancel(async::CancelReason::shutting_down);
    access_log.add(cut, nullptr);
    Exchange gone(socket, "::1", memo);
    gone.start_stream(200, "text/plain");
    gone.scope.cancel(async::CancelReason::caller_gone);
    access_log.add(gone, nullptr);
    co_return;
  });
  const auto all = lines(path_);
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0].at("outcome"), "caller_gone");
  EXPECT_FALSE(all[0].contains("route"));
  EXPECT_EQ(all[1].at("outcome"), "cut");
  EXPECT_EQ(all[2].at("outcome"), "shutting_down");
  EXPECT_EQ(all[3].at("outcome"), "caller_gone");
}

TEST_F(AccessLogTest, AppearsWithinItsDelayAndWithoutTheEnd) {
  run(path_, [this](AccessLog& access_log, AccessLogSink&, async::Socket& socket) -> Task<void> {
    crypto::HashMemo memo;
    const Exchange x(socket, "::1", memo);
    access_log.add(x, nullptr);
    async::CancelScope never;
    co_await async::sleep_for(std::chrono::milliseconds(600), never);
    EXPECT_EQ(lines(path_).size(), 1u);
  });
}

TEST_F(AccessLogTest, FollowsARotation) {
  run(path_,
      [this](AccessLog& access_log, AccessLogSink& sink, async::Socket& socket) -> Task<void> {
        crypto::HashMemo memo;
        const Exchange x(socket, "::1", memo);
        access_log.add(x, nullptr);
        co_await access_log.close();
        std::filesystem::rename(path_, path_ + ".1");
        EXPECT_TRUE(sink.reopen());
        access_log.add(x, nullptr);
        access_log.add(x, nullptr);
      });
  EXPECT_EQ(lines(path_ + ".1").size(), 1u);
  EXPECT_EQ(lines(path_).size(), 2u);
}

TEST_F(AccessLogTest, DropsAndCountsWhileTheSinkBlocks) {
  const std::string fifo = directory_ + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const int reader = ::open(fifo.c_str(), O_RDWR | O_CLOEXEC);  // open for both: no waiting
  size_t written = 0;
  uint64_t dropped = 0;
  size_t read = 0;
  run(fifo, [&](AccessLog& access_log, AccessLogSink& sink, async::Socket& socket) -> Task<void> {
    crypto::HashMemo memo;
    const Exchange x(socket, "::1", memo);
    for (; written < 20'000; ++written) access_log.add(x, nullptr);
    dropped = sink.dropped();
    // Now somebody reads, on the pool's behalf.
    std::thread drain([&] {
      char buffer[65536];
      while (read < written - dropped) {
        const ssize_t n = ::read(reader, buffer, sizeof buffer);
        read += static_cast<size_t>(std::count(buffer, buffer + n, '\n'));
      }
    });
    co_await access_log.close();
    drain.join();
  });
  ::close(reader);
  EXPECT_GT(dropped, 1000u);
  EXPECT_EQ(read + dropped, written);
}

TEST_F(AccessLogTest, OffWritesNothingAndABadPathIsAnError) {
  run("off", [](AccessLog& access_log, AccessLogSink& sink, async::Socket& socket) -> Task<void> {
    crypto::HashMemo memo;
    const Exchange x(socket, "::1", memo);
    access_log.add(x, nullptr);
    EXPECT_TRUE(sink.off());
    co_return;
  });
  const auto bad = AccessLogSink::open("/proc/none/access.log");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message.substr(0, 47), "access_log: cannot open /proc/none/access.log: ");
}

}  // namespace
}  // namespace deeppool::http
