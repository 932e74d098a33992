// Probes of ejected endpoints, over real sockets and stores.
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "async/task_group.h"
#include "http/server/server.h"
#include "jobs/endpoint_probe.h"
#include "provider/endpoint_store.h"
#include "testing/databases.h"
#include "testing/fake_clock.h"

namespace deeppool::jobs {
namespace {

using provider::Fault;
using provider::Standing;

Task<bool> nothing_before(http::Exchange&) {
  co_return false;
}

Task<void> no_page(http::Exchange& x, Error error) {
  Result<void> sent = co_await x.send(404, "text/plain", error.message);
}

class EndpointProbe : public ::testing::Test {
 protected:
  EndpointProbe()
      : router_({{http::Method::get, "/v1/models", http::Access::anyone, 65536,
                  [this](http::Exchange& x) { return answer(x); }}}) {
    hooks_.answer_error = no_page;
    hooks_.before = nothing_before;
    hooks_.after = [](const http::Exchange&, const http::Route*) {};
    server_.emplace(loop_, router_, hooks_, http::ServerSettings{});
    port_ = *server_->listen(*async::Address::from_ip("127.0.0.1", 0));
    provider::endpoints::StoredEndpoint stored;
    stored.name = "e";
    stored.endpoint = "http://127.0.0.1:" + std::to_string(port_) + "/v1";
    auto writer = *temporary_.database().write();
    const auto id = provider::endpoints::create(writer, stored, 0);
    EXPECT_TRUE(id.ok());
    EXPECT_TRUE(provider::endpoints::set_key(writer, sealer_, *id, "sk-probe").ok());
  }
  void SetUp() override {
    ASSERT_TRUE(catalog_.reload(temporary_.database(), sealer_).ok());
    thread_ = std::thread([this] { loop_.run(); });
  }
  void TearDown() override {
    loop_.post([this] { tasks_.spawn(wind_down()); });
    thread_.join();
  }
  provider::EndpointHealth& health() { return *catalog_.current()->endpoints().front()->health; }
  Standing standing() { return health().view(clock_.now()).standing; }
  // Fails it until it is ejected, and lets that time pass.
  void eject(Fault fault) {
    for (int i = 0; i < provider::kEjectAfterFailures && health().healthy(); ++i) {
      auto entry = health().enter(0, clock_.now());
      entry.slot.failed(fault, {}, clock_.now(), random_);
    }
    clock_.advance(health().view(clock_.now()).until - clock_.now());
  }
  // One pass, on the loop; waits for it.
  void pass() {
    std::promise<void> done;
    loop_.post([this, &done] { tasks_.spawn(run_pass(done)); });
    done.get_future().wait();
  }

  testing::FakeClock clock_;
  int status_ = 200;
  std::vector<std::string> keys_;  // that came with the probes

 private:
  Task<void> answer(http::Exchange& x) {
    keys_.emplace_back(x.head.headers.find("authorization").value_or(""));
    Result<void> sent = co_await x.send(status_, "application/json", R"({"data":[]})");
  }
  Task<void> run_pass(std::promise<void>& done) {
    async::CancelScope scope;
    {
      http::Client client(loop_, pool_, contexts_, proxy_);
      const ProbeParts parts{catalog_, pool_, contexts_, proxy_, clock_, random_};
      co_await probe_pass(parts, client, scope);
    }
    done.set_value();
  }
  Task<void> wind_down() {
    co_await server_->drain(std::chrono::seconds(5));
    loop_.stop();
  }

  async::Loop loop_;
  async::TaskGroup tasks_{loop_};
  std::thread thread_;
  http::Router router_;
  http::ServerHooks hooks_;
  std::optional<http::Server> server_;
  uint16_t port_ = 0;
  testing::TemporaryDatabase temporary_{testing::DatabaseKind::sqlite};
  base::SystemRandom random_;
  crypto::Sealer sealer_{crypto::SecretKey::generate(random_), random_};
  provider::CatalogDirectory catalog_;
  http::TlsContexts contexts_;
  http::Proxy proxy_;
  async::BlockingPool pool_{"work", 2, 64};
};

TEST_F(EndpointProbe, AsksNobodyWhoIsHealthy) {
  pass();
  EXPECT_TRUE(keys_.empty());
}

TEST_F(EndpointProbe, ReadmitsWhoWasOutOfReachAndLivesAgain) {
  eject(Fault::connect);
  pass();
  EXPECT_EQ(standing(), Standing::healthy);
  EXPECT_EQ(keys_, std::vector<std::string>{"Bearer sk-probe"});
}

TEST_F(EndpointProbe, AServerWithoutAListOfModelsLivesAllTheSame) {
  status_ = 404;
  eject(Fault::connect);
  pass();
  EXPECT_EQ(standing(), Standing::healthy);
}

TEST_F(EndpointProbe, WhoFailsAtItsWorkHasToShowARealAnswer) {
  eject(Fault::server_error);
  pass();
  EXPECT_EQ(standing(), Standing::half_open);
  pass();
  EXPECT_EQ(keys_.size(), 1u);  // one look is enough
}

TEST_F(EndpointProbe, WhoStillFailsIsEjectedForLonger) {
  for (const int status : {500, 401, 429}) {
    status_ = status;
    health().readmit(clock_.now());
    eject(Fault::connect);
    pass();
    EXPECT_EQ(standing(), Standing::ejected) << status;
  }
}

}  // namespace
}  // namespace deeppool::jobs
