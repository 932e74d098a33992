// The load generator against the mock upstream: does it count what happened?
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "loadgen/engine.h"
#include "mock_upstream/server.h"

namespace deeppool::load {
namespace {

class LoadTest : public testing::Test {
 protected:
  LoadTest() : mock_(*mock::MockServer::start({})) {
    settings_.url = "http://127.0.0.1:" + std::to_string(mock_->port()) + "/v1/chat/completions";
    settings_.connections = 4;
    settings_.duration = 10;  // `requests` ends it
  }
  Report run() {
    const Target target = *parse_url(settings_.url);
    Engine engine(settings_, target, *RequestText::from(settings_, target));
    EXPECT_TRUE(engine.open_journal().ok());
    return engine.run();
  }
  std::unique_ptr<mock::MockServer> mock_;
  Settings settings_;
};

TEST_F(LoadTest, ClosedLoopCountsRequestsOnKeptConnections) {
  settings_.requests = 100;
  const Report report = run();
  EXPECT_EQ(report.completed, 100);
  EXPECT_EQ(report.failed, 0);
  EXPECT_EQ(report.no_usage, 0);
  EXPECT_LE(mock_->stats().connections, 4);
  EXPECT_EQ(mock_->stats().requests, 100);
}

TEST_F(LoadTest, OpenLoopCountsLatencyFromTheIntendedStart) {
  settings_.requests = 20;
  settings_.rate = 1000;
  settings_.connections = 1;
  settings_.model = "mock:delay_ms=5";  // 20 requests in 20 ms on a connection that takes 100 ms
  const Report report = run();
  EXPECT_EQ(report.completed, 20);
  EXPECT_GT(report.late_starts, 5);
  EXPECT_GT(report.latency.quantile(0.9), 2 * report.service.quantile(0.9));
}

TEST_F(LoadTest, StreamsCountEventsAndNonces) {
  settings_.requests = 10;
  settings_.stream = true;
  settings_.nonce = true;
  settings_.model = "mock-nonce:tokens=5";
  const Report report = run();
  EXPECT_EQ(report.completed, 10);
  EXPECT_EQ(report.events, 10 * 8);  // role, five pieces, finish, usage
  EXPECT_EQ(report.foreign_nonces + report.missing_nonces, 0);
  EXPECT_EQ(report.first_event.count(), 10);
}

TEST_F(LoadTest, AMissingNonceIsSeen) {
  settings_.requests = 3;
  settings_.nonce = true;
  EXPECT_EQ(run().missing_nonces, 3);
}

TEST_F(LoadTest, BrokenAndRefusedAnswersFailAndAreRetried) {
  settings_.requests = 2;
  settings_.retries = 1;
  for (const char* model : {"mock-cut", "mock-close", "mock-garbage", "mock-status-503"}) {
    settings_.model = model;
    const Report report = run();
    EXPECT_EQ(report.failed, 2) << model;
    EXPECT_EQ(report.retries, 2) << model;
  }
}

TEST_F(LoadTest, AbortsHangUpOnTheServer) {
  settings_.requests = 20;
  settings_.stream = true;
  settings_.abort = 1;
  settings_.abort_span = 2000;
  settings_.model = "mock-never-ending:chunk_ms=1";
  const Report report = run();
  EXPECT_EQ(report.aborted, 20);
}

TEST_F(LoadTest, SlowReadersAreSlow) {
  settings_.connections = 1;
  settings_.stream = true;
  settings_.duration = 0.5;
  settings_.grace = 0;
  settings_.read_rate = 1000;
  settings_.model = "mock-flood-forever";
  const Report report = run();
  EXPECT_LE(report.events, 3);
}

TEST_F(LoadTest, JournalHasALinePerAttempt) {
  settings_.journal = testing::TempDir() + "load_journal_" + std::to_string(getpid());
  settings_.requests = 3;
  run();
  std::ifstream file(settings_.journal);
  std::string line;
  int lines = 0;
  while (std::getline(file, line)) {
    ++lines;
    EXPECT_NE(line.find("\"end\":\"completed\""), std::string::npos);
    EXPECT_NE(line.find("\"completion_tokens\":16"), std::string::npos);
  }
  EXPECT_EQ(lines, 3);
  unlink(settings_.journal.c_str());
}

TEST_F(LoadTest, IdleConnectionsAreHeld) {
  settings_.requests = 5;
  settings_.idle = 50;
  const Report report = run();
  EXPECT_EQ(report.idle_lost, 0);
  EXPECT_GE(mock_->stats().peak_connections, 51);
}

}  // namespace
}  // namespace deeppool::load
