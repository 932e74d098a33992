// Alerts on their way to a webhook that answers as it is told, over real sockets and stores.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "async/task_group.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "governance/alerts/alert_store.h"
#include "http/server/server.h"
#include "jobs/alert_job.h"
#include "testing/databases.h"
#include "testing/fake_clock.h"

namespace deeppool::jobs {
namespace {

namespace alerts = governance::alerts;

constexpr base::UserId kUser{1};
constexpr const char* kSecret = "whsec-of-the-test";

Task<bool> nothing_before(http::Exchange&) {
  co_return false;
}

Task<void> no_page(http::Exchange& x, Error error) {
  Result<void> sent = co_await x.send(404, "text/plain", error.message);
}

// A hook that keeps what it got and answers `status`; /elsewhere counts who followed a redirect.
class Hook {
 public:
  explicit Hook(async::Loop& loop)
      : router_({{http::Method::post, "/hook", http::Access::anyone, 65536,
                  [this](http::Exchange& x) { return take(x); }},
                 {http::Method::post, "/elsewhere", http::Access::anyone, 65536,
                  [this](http::Exchange& x) { return follow(x); }}}) {
    hooks_.answer_error = no_page;
    hooks_.before = nothing_before;
    hooks_.after = [this](const http::Exchange&, const http::Route*) { ++connections; };
    server_.emplace(loop, router_, hooks_, http::ServerSettings{});
    port = *server_->listen(*async::Address::from_ip("127.0.0.1", 0));
  }
  std::string url(const std::string& scheme, const std::string& host) const {
    return scheme + "://" + host + ":" + std::to_string(port) + "/hook";
  }
  http::Server& server() { return *server_; }

  int status = 200;
  uint16_t port = 0;
  std::atomic<int> connections = 0;
  std::atomic<int> followed = 0;
  std::vector<std::string> bodies, signatures;

 private:
  Task<void> take(http::Exchange& x) {
    bodies.emplace_back(x.body.view());
    signatures.emplace_back(x.head.headers.find("x-deeppool-signature").value_or(""));
    if (status == 302) x.add_header("Location", "/elsewhere");
    Result<void> sent = co_await x.send(status, "text/plain", "ok");
  }
  Task<void> follow(http::Exchange& x) {
    ++followed;
    Result<void> sent = co_await x.send(200, "text/plain", "ok");
  }
  http::Router router_;
  http::ServerHooks hooks_;
  std::optional<http::Server> server_;
};

class AlertJobTest : public ::testing::Test {
 protected:
  AlertJobTest() : hook_(loop_) {
    auto writer = *database().write();
    EXPECT_TRUE(writer
                    .execute("INSERT INTO alert_rules (user_id, kind, below, created_at)"
                             " VALUES (?, 'balance', ?, 0)",
                             kUser, base::Money::units(1))
                    .ok());
  }
  void SetUp() override {
    thread_ = std::thread([this] { loop_.run(); });
  }
  void TearDown() override {
    loop_.post([this] { tasks_.spawn(wind_down()); });
    thread_.join();
  }
  sql::Database& database() { return temporary_.database(); }
  void lead_to(const std::string& url) {
    auto writer = *database().write();
    ASSERT_TRUE(alerts::set_webhook(writer, {kUser, url, kSecret, sealer_, 0}).ok());
  }
  // One pass, on the loop; waits for it.
  void pass(alerts::Targets targets) {
    const AlertParts parts{database(), pool_, pool_, contexts_, proxy_, sealer_, clock_, targets};
    std::promise<void> done;
    loop_.post([this, &done, &parts] { tasks_.spawn(run_pass(parts, done)); });
    done.get_future().wait();
  }
  std::string delivery() {
    auto reader = *database().read();
    const auto found = alerts::search(reader, kUser, {});
    return found->alerts.empty() ? "no alert" : found->alerts[0].delivery;
  }
  void wait_for_the_next_attempt() { clock_.advance(std::chrono::minutes(1)); }

  async::Loop loop_;
  Hook hook_;
  testing::FakeClock clock_;
  async::TaskGroup tasks_{loop_};
  std::thread thread_;

 private:
  Task<void> run_pass(const AlertParts& parts, std::promise<void>& done) {
    async::CancelScope scope;
    {
      const auto reach = parts.targets == alerts::Targets::anywhere ? http::Reach::anywhere
                                                                    : http::Reach::public_only;
      http::Client client(loop_, pool_, contexts_, proxy_, reach);
      co_await alert_pass(parts, client, scope);
    }
    done.set_value();
  }
  Task<void> wind_down() {
    co_await hook_.server().drain(std::chrono::seconds(5));
    loop_.stop();
  }
  testing::TemporaryDatabase temporary_{testing::DatabaseKind::sqlite};
  base::SystemRandom random_;
  crypto::Sealer sealer_{crypto::SecretKey::generate(random_), random_};
  http::TlsContexts contexts_;
  http::Proxy proxy_;
  async::BlockingPool pool_{"work", 2, 64};
};

TEST_F(AlertJobTest, ANewAlertArrivesOnceAndSigned) {
  lead_to(hook_.url("http", "127.0.0.1"));
  pass(alerts::Targets::anywhere);
  ASSERT_EQ(hook_.bodies.size(), 1u);
  EXPECT_EQ(delivery(), "sent");
  const std::string& body = hook_.bodies[0];
  EXPECT_NE(body.find(R"("kind":"balance","balance_yuan":"0","below_yuan":"0.0000000001")"),
            std::string::npos)
      << body;
  const int64_t now = base::unix_ms(clock_.wall()) / 1000;
  EXPECT_EQ(hook_.signatures[0], webhook_signature(kSecret, now, body));
  const auto digest =
      crypto::hmac_sha256(kSecret, std::to_string(now) + "." + body);  // as documented
  EXPECT_TRUE(hook_.signatures[0].ends_with(base::hex_encode(crypto::bytes_of(digest))));
  wait_for_the_next_attempt();
  pass(alerts::Targets::anywhere);
  EXPECT_EQ(hook_.bodies.size(), 1u);
}

TEST_F(AlertJobTest, AHookThatFailsIsAskedAgainLater) {
  lead_to(hook_.url("http", "127.0.0.1"));
  hook_.status = 500;
  pass(alerts::Targets::anywhere);
  EXPECT_EQ(delivery(), "pending");
  pass(alerts::Targets::anywhere);
  EXPECT_EQ(hook_.bodies.size(), 1u);  // its time has not come
  wait_for_the_next_attempt();
  hook_.status = 204;
  pass(alerts::Targets::anywhere);
  EXPECT_EQ(hook_.bodies.size(), 2u);
  EXPECT_EQ(delivery(), "sent");
}

TEST_F(AlertJobTest, RedirectsAreNotFollowed) {
  lead_to(hook_.url("http", "127.0.0.1"));
  hook_.status = 302;
  pass(alerts::Targets::anywhere);
  EXPECT_EQ(hook_.bodies.size(), 1u);
  EXPECT_EQ(hook_.followed, 0);
  EXPECT_EQ(delivery(), "pending");
}

// A listener on an inner address gets nothing, however the webhook spells it.
TEST_F(AlertJobTest, InnerAddressesAreNeverConnectedTo) {
  for (const char* host : {"127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001",
                           "0177.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0", "[::1]"}) {
    for (const char* scheme : {"https", "http"}) {
      lead_to(hook_.url(scheme, host));
      pass(alerts::Targets::public_only);
      EXPECT_EQ(delivery(), "pending") << host;
      EXPECT_EQ(hook_.connections, 0) << host;
      auto writer = *database().write();
      ASSERT_TRUE(writer.execute("UPDATE alerts SET attempts = 0, next_attempt_at = 0").ok());
    }
  }
}

}  // namespace
}  // namespace deeppool::jobs
