// Health, metrics and systemd's notifications, over real sockets.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <thread>

#include "apps/platform/health.h"
#include "apps/platform/metrics_endpoint.h"
#include "apps/platform/notify.h"
#include "http/server/server.h"
#include "testing/raw_client.h"

namespace deeppool::platform {
namespace {

using testing::RawAnswer;
using testing::RawClient;

constexpr const char* kToken = "0123456789abcdef";

// Serves the routes on a loop and thread of its own.
class Served {
 public:
  explicit Served(std::vector<http::Route> routes)
      : router_(std::move(routes)), server_(loop_, router_, hooks_, {}), control_(loop_) {
    hooks_.before = [](http::Exchange&) -> Task<bool> { co_return false; };
    hooks_.after = [](const http::Exchange&, const http::Route*) {};
    hooks_.answer_error = [](http::Exchange& x, Error error) -> Task<void> {
      Result<void> sent = co_await x.send(500, "text/plain", error.message);
    };
    port_ = *server_.listen(*async::Address::from_ip("127.0.0.1", 0));
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Served() {
    loop_.post([this] { control_.spawn(wind_down()); });
    thread_.join();
  }
  RawAnswer get(const std::string& path, const std::string& fields = "") {
    RawClient client(port_);
    client.send("GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + fields + "\r\n");
    const auto answers = testing::parse_answers(client.read_to_end());
    return answers.empty() ? RawAnswer{} : answers[0];
  }

 private:
  Task<void> wind_down() {
    co_await server_.drain(std::chrono::seconds(1));
    loop_.stop();
  }
  async::Loop loop_;
  http::Router router_;
  http::ServerHooks hooks_;
  http::Server server_;
  async::TaskGroup control_;
  uint16_t port_ = 0;
  std::thread thread_;
};

TEST(Health, TellsLifeFromReadiness) {
  Readiness readiness;
  std::atomic<bool> store_up{true};
  readiness.add("store",
                [&] { return std::string(store_up ? "" : "the database cannot be reached"); });
  readiness.add("spool", [] { return std::string(); });
  Served served(health_routes(readiness, "1.2.3"));
  const std::string healthy = R"({"code":0,"message":"ok","data":{"status":"healthy"}})";
  for (const char* path : {"/livez", "/healthz", "/api/v1/health"}) {
    EXPECT_EQ(served.get(path).status, 200) << path;
    EXPECT_EQ(served.get(path).body, healthy) << path;
  }
  EXPECT_EQ(served.get("/version").body, R"({"version":"1.2.3"})");

  EXPECT_EQ(served.get("/readyz").status, 503);
  EXPECT_NE(served.get("/readyz").body.find("starting"), std::string::npos);
  readiness.start();
  EXPECT_EQ(served.get("/api/v1/health/ready").status, 200);
  store_up = false;
  const RawAnswer down = served.get("/api/v1/health/ready");
  EXPECT_EQ(down.status, 503);
  EXPECT_EQ(down.body,
            R"({"code":503,"message":"not ready: store","data":{"status":"not_ready","reasons":)"
            R"([{"part":"store","reason":"the database cannot be reached"}]}})");
  store_up = true;
  EXPECT_EQ(served.get("/readyz").status, 200);
  readiness.stop();
  EXPECT_NE(served.get("/readyz").body.find("shutting down"), std::string::npos);
  EXPECT_EQ(served.get("/livez").status, 200);
}

TEST(MetricsEndpoint, IsForThisMachineOrForWhoHasTheToken) {
  const base::SystemClock clock;
  const metrics::Metrics figures(1, "1.2.3", clock);
  async::BlockingPool pool("scrape", 1, 4);
  {
    Served open({metrics_route(figures, pool, "")});
    const RawAnswer local = open.get("/metrics");
    EXPECT_EQ(local.status, 200);
    EXPECT_EQ(local.header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_NE(local.body.find("deeppool_build_info{version=\"1.2.3\"} 1\n"), std::string::npos);
    for (const char* sign : {"X-Forwarded-For: 1.1.1.1\r\n", "Forwarded: for=1.1.1.1\r\n",
                             "X-Real-IP: 1.1.1.1\r\n", "Via: 1.1 nginx\r\n"}) {
      EXPECT_EQ(open.get("/metrics", sign).status, 403) << sign;
    }
  }
  Served closed({metrics_route(figures, pool, kToken)});
  EXPECT_EQ(closed.get("/metrics").status, 401);
  EXPECT_EQ(closed.get("/metrics", "Authorization: Bearer 0123456789abcdeF\r\n").status, 401);
  EXPECT_EQ(closed.get("/metrics", "Authorization: 0123456789abcdef\r\n").status, 401);
  EXPECT_EQ(closed.get("/metrics", std::string("Authorization: Bearer ") + kToken + "\r\n").status,
            200);
}

TEST(ServiceNotifier, SpeaksToSystemd) {
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un own{};
  own.sun_family = AF_UNIX;
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&own), sizeof own.sun_family), 0);  // picks a name
  socklen_t length = sizeof own;
  getsockname(fd, reinterpret_cast<sockaddr*>(&own), &length);
  const std::string name =
      "@" + std::string(own.sun_path + 1, length - offsetof(sockaddr_un, sun_path) - 1);
  const ServiceNotifier notifier({{"NOTIFY_SOCKET", name}});
  char text[200];
  notifier.ready();
  EXPECT_EQ(std::string(text, static_cast<size_t>(recv(fd, text, sizeof text, 0))), "READY=1");
  notifier.reloading();
  EXPECT_TRUE(std::string(text, static_cast<size_t>(recv(fd, text, sizeof text, 0)))
                  .starts_with("RELOADING=1\nMONOTONIC_USEC="));
  notifier.stopping();
  EXPECT_EQ(std::string(text, static_cast<size_t>(recv(fd, text, sizeof text, 0))), "STOPPING=1");
  close(fd);
  // Nobody listens, or nobody asked: nothing happens.
  notifier.ready();
  ServiceNotifier({{"NOTIFY_SOCKET", std::string(300, 'x')}}).ready();
  ServiceNotifier({}).ready();
}

}  // namespace
}  // namespace deeppool::platform
