#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <fstream>

#include "governance/applier/applier.h"
#include "governance/applier/crash_world.h"
#include "testing/databases.h"
#include "testing/fake_clock.h"

namespace deeppool::governance {
namespace {

namespace fs = std::filesystem;

// What one process has: made, and dropped when it "dies" (nothing is flushed on the way).
struct Process {
  Process(const SpoolFolder& folder, sql::Database& database, const base::Clock& clock,
          size_t batch = kApplyBatch)
      : spool(*Spool::open(folder.settings(), clock, random)),
        store(database, spool->instance()),
        applier(*spool, store, batch) {}
  base::SystemRandom random;  // instances must differ
  std::unique_ptr<Spool> spool;
  UsageStore store;
  Applier applier;
};

class ApplierTest : public testing::DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (!IsSkipped()) add_user_with_two_keys(database());
  }
  SpoolFolder folder_;
  testing::FakeClock clock_;
};
DEEPPOOL_EACH_DATABASE(ApplierTest);

TEST_P(ApplierTest, AFinishedRequestBecomesOneRowAndItsSums) {
  Process process(folder_, database(), clock_);
  auto writer = process.spool->writer(0);
  FinalRecord r = numbered_final(6);
  r.endpoint = base::EndpointId{77};
  r.api = Api::embeddings;
  r.outcome = Outcome::client_aborted;
  r.stream = true;
  r.status = 499;
  r.duration_ms = 1234;
  r.first_token_ms = 56;
  r.usage = {100, 50, 30, 5, 20, llm::Usage::Source::estimated};
  r.attempts = 2;
  r.error_code = "cancelled";
  r.upstream_request_id = "bad \xff bytes";
  ASSERT_TRUE(writer->append_hold(numbered_hold(6)).ok());
  ASSERT_TRUE(process.applier.step().ok());
  EXPECT_EQ(process.applier.backlog().open_holds, 1u);
  writer->append_final(r);
  ASSERT_TRUE(process.applier.step().ok());
  ASSERT_TRUE(process.applier.step().ok());

  auto reader = database().read();
  const auto row =
      reader->query_one<int64_t, int64_t, std::string, int64_t, std::string, std::string>(
          "SELECT user_id, key_id, model_name, endpoint_id, api, source FROM usage_records");
  EXPECT_EQ(row->value(), (std::tuple{int64_t{1}, int64_t{1}, std::string("model-a"), int64_t{77},
                                      std::string("embeddings"), std::string("provider")}));
  const auto rest = reader->query_one<std::string, int64_t, bool, int64_t, int64_t, std::string>(
      "SELECT outcome, status, stream, duration_ms, first_token_ms, usage_source FROM "
      "usage_records");
  EXPECT_EQ(rest->value(), (std::tuple{std::string("client_aborted"), int64_t{499}, true,
                                       int64_t{1234}, int64_t{56}, std::string("estimated")}));
  const auto last = reader->query_one<int64_t, std::string, std::string, int64_t, int64_t, int64_t>(
      "SELECT attempts, error_code, upstream_request_id, cached_tokens, cache_write_tokens,"
      " reasoning_tokens FROM usage_records");
  EXPECT_EQ(last->value(), (std::tuple{int64_t{2}, std::string("cancelled"), std::string(),
                                       int64_t{30}, int64_t{5}, int64_t{20}}));
  const auto key = reader->query_one<int64_t, int64_t>(
      "SELECT quota_used, last_used_at FROM api_keys WHERE id = 1");
  EXPECT_EQ(key->value(), (std::tuple{int64_t{150}, r.started_at_ms}));
  const auto day = reader->query_one<int64_t, int64_t, int64_t, int64_t>(
      "SELECT day, requests, cached_tokens, reasoning_tokens FROM token_usage_daily");
  EXPECT_EQ(day->value(),
            (std::tuple{r.started_at_ms / 86'400'000, int64_t{1}, int64_t{30}, int64_t{20}}));
  EXPECT_EQ(process.applier.backlog().bytes, 0u);
  EXPECT_EQ(process.applier.backlog().open_holds, 0u);
}

TEST_P(ApplierTest, AHoldThatOutlivedItsProcessIsSettledByItsLastProgress) {
  {
    Process first(folder_, database(), clock_);
    auto writer = first.spool->writer(0);
    for (int n = 0; n < 3; ++n) ASSERT_TRUE(writer->append_hold(numbered_hold(n)).ok());
    writer->append_progress({numbered_request(1), base::EndpointId{9}, {40, 2}, 2000});
    writer->append_progress({numbered_request(1), base::EndpointId{9}, {40, 7}, 4000});
    writer->append_final(numbered_final(2));
    ASSERT_TRUE(first.applier.step().ok());
    EXPECT_EQ(stored_usage(database()).rows.size(), 1u);  // the living keep their holds
  }
  for (int run = 0; run < 3; ++run) {
    Process next(folder_, database(), clock_);
    ASSERT_TRUE(next.applier.recover().ok());
    const auto rows = stored_usage(database()).rows;
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(rows.at(0), std::pair(int64_t{0}, std::string("crash_settled")));
    EXPECT_EQ(rows.at(1), std::pair(int64_t{47}, std::string("crash_settled")));
    EXPECT_EQ(rows.at(2), std::pair(numbered_final(2).usage.total(), std::string("completed")));
    EXPECT_EQ(next.applier.backlog().segments, 0u);
  }
}

TEST_P(ApplierTest, SegmentsAreDeletedWhenNothingNeedsThem) {
  Process process(folder_, database(), clock_);
  auto writer = process.spool->writer(0);
  ASSERT_TRUE(writer->append_hold(numbered_hold(0)).ok());
  for (int n = 1; n < 100; ++n) {
    ASSERT_TRUE(writer->append_hold(numbered_hold(n)).ok());
    writer->append_final(numbered_final(n));
  }
  EXPECT_GT(process.spool->segments().size(), 5u);
  ASSERT_TRUE(process.applier.step().ok());
  // The first, for the request that still runs, and the one being written.
  EXPECT_EQ(process.spool->segments().size(), 2u);
  writer->append_final(numbered_final(0));
  writer.reset();
  ASSERT_TRUE(process.applier.step().ok());
  EXPECT_TRUE(process.spool->segments().empty());
  EXPECT_EQ(stored_usage(database()).rows.size(), 100u);
}

TEST_P(ApplierTest, ReplaysAndDoubleFinalsCountOnce) {
  {
    Process first(folder_, database(), clock_);
    auto writer = first.spool->writer(0);
    for (int n = 0; n < 20; ++n) {
      writer->append_final(numbered_final(n));
      writer->append_final(numbered_final(n));
    }
    ASSERT_TRUE(first.applier.step().ok());
  }
  {
    auto tx = database().write();
    ASSERT_TRUE(tx->execute("DELETE FROM spool_cursors").ok());  // as if it had never been
  }
  Process second(folder_, database(), clock_);
  ASSERT_TRUE(second.applier.recover().ok());
  EXPECT_EQ(stored_usage(database()).rows.size(), 20u);
}

TEST_P(ApplierTest, AStoreThatCannotWriteLosesNothing) {
  Process process(folder_, database(), clock_, 4);
  auto writer = process.spool->writer(0);
  for (int n = 0; n < 10; ++n) writer->append_final(numbered_final(n));
  {
    auto tx = database().write();
    ASSERT_TRUE(tx->execute("ALTER TABLE usage_records RENAME TO usage_records_away").ok());
  }
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(process.applier.step().ok());
  for (int n = 10; n < 20; ++n) writer->append_final(numbered_final(n));
  EXPECT_FALSE(process.applier.step().ok());
  EXPECT_TRUE(process.applier.backlog().store_down);
  EXPECT_GT(process.applier.backlog().bytes, 1000u);
  {
    auto tx = database().write();
    ASSERT_TRUE(tx->execute("ALTER TABLE usage_records_away RENAME TO usage_records").ok());
  }
  ASSERT_TRUE(process.applier.step().ok());
  EXPECT_FALSE(process.applier.backlog().store_down);
  EXPECT_EQ(process.applier.backlog().refused, 0u);
  EXPECT_EQ(stored_usage(database()).rows.size(), 20u);
}

TEST_P(ApplierTest, ARowThatTheStoreRefusesIsSetAsideAndTheOthersPass) {
  Process process(folder_, database(), clock_);
  auto writer = process.spool->writer(0);
  for (int n = 0; n < 5; ++n) {
    FinalRecord r = numbered_final(n);
    r.duration_ms = n == 3 ? 2 : n;
    writer->append_final(r);
  }
  {
    auto tx = database().write();
    ASSERT_TRUE(tx->execute("CREATE UNIQUE INDEX no_twins ON usage_records (duration_ms)").ok());
  }
  writer.reset();
  const auto outcome = process.applier.step();
  ASSERT_TRUE(outcome.ok()) << outcome.error().detail;
  EXPECT_EQ(stored_usage(database()).rows.size(), 4u);
  EXPECT_EQ(process.applier.backlog().refused, 1u);
  EXPECT_TRUE(process.spool->segments().empty());
  size_t aside = 0;
  for (const auto& entry : fs::directory_iterator(folder_.path())) {
    aside += entry.path().extension() == ".aside";
  }
  EXPECT_EQ(aside, 1u);
  const std::string drop = std::string("DROP INDEX no_twins") +
                           (database().engine() == sql::Engine::mysql ? " ON usage_records" : "");
  EXPECT_TRUE(database().write()->connection().run_plain(drop).ok());
}

// Nothing else passes that could tell whose fault it is; what comes later must not wait for it.
TEST_P(ApplierTest, ARowThatIsRefusedAloneIsSetAsideToo) {
  Process process(folder_, database(), clock_);
  auto writer = process.spool->writer(0);
  const auto finish = [&](int64_t n, int64_t duration_ms) {
    FinalRecord r = numbered_final(n);
    r.duration_ms = duration_ms;
    writer->append_final(r);
    return process.applier.step();
  };
  ASSERT_TRUE(finish(0, 2));
  {
    auto tx = database().write();
    ASSERT_TRUE(tx->execute("CREATE UNIQUE INDEX no_twins ON usage_records (duration_ms)").ok());
  }
  const auto alone = finish(1, 2);
  EXPECT_TRUE(alone) << alone.error().detail;
  EXPECT_TRUE(finish(2, 3));
  EXPECT_EQ(stored_usage(database()).rows.size(), 2u);
  EXPECT_EQ(process.applier.backlog().refused, 1u);
  const std::string drop = std::string("DROP INDEX no_twins") +
                           (database().engine() == sql::Engine::mysql ? " ON usage_records" : "");
  EXPECT_TRUE(database().write()->connection().run_plain(drop).ok());
}

// The folder is put back from a copy; the store knows of runs that the copy does not.
TEST_P(ApplierTest, AFolderThatIsOlderThanTheStoreLosesNothing) {
  const fs::path copy = folder_.path().native() + "-copy";
  const auto run = [&](int64_t n, std::string_view end) {
    Process process(folder_, database(), clock_);
    ASSERT_TRUE(process.applier.recover().ok());
    auto writer = process.spool->writer(0);
    ASSERT_TRUE(writer->append_hold(numbered_hold(n)).ok());
    writer->append_final(numbered_final(n));
    if (end == "applied") ASSERT_TRUE(process.applier.step().ok());
  };
  run(0, "applied");
  fs::copy(folder_.path(), copy, fs::copy_options::recursive);
  for (const int64_t n : {1, 2, 3}) run(n, "applied");
  fs::remove_all(folder_.path());
  fs::rename(copy, folder_.path());
  run(4, "applied");
  run(5, "killed");
  run(6, "applied");
  EXPECT_EQ(stored_usage(database()).rows.size(), 7u);
}

TEST_P(ApplierTest, DamageInTheMiddleCostsItsRecordAndTheFileIsKeptAside) {
  fs::path path;
  {
    Process first(folder_, database(), clock_);
    auto writer = first.spool->writer(0);
    for (int n = 0; n < 5; ++n) writer->append_final(numbered_final(n));
    path = first.spool->segments().front().path;
  }
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(300);
  file.put('!');
  file.close();
  Process second(folder_, database(), clock_);
  ASSERT_TRUE(second.applier.recover().ok());
  EXPECT_EQ(stored_usage(database()).rows.size(), 4u);
  EXPECT_TRUE(fs::exists(path.native() + ".aside"));
}

TEST_P(ApplierTest, TheThreadAppliesAndDrainWaitsForIt) {
  const base::SystemClock clock;
  Process process(folder_, database(), clock);
  process.applier.start();
  auto writer = process.spool->writer(0);
  for (int n = 0; n < 500; ++n) {
    ASSERT_TRUE(writer->append_hold(numbered_hold(n)).ok());
    writer->append_final(numbered_final(n));
  }
  EXPECT_TRUE(process.applier.drain(clock, base::Deadline::after(clock, std::chrono::seconds(20))));
  EXPECT_EQ(stored_usage(database()).rows.size(), 500u);
}

// One step of a gateway's life.
enum class Deed { hold, progress, finish, apply, crash };

// A gateway over several lives, and what its records said.
class Story {
 public:
  // Requests are numbered from `first`.
  Story(sql::Database& database, const base::Clock& clock, int64_t first)
      : database_(database), clock_(clock), next_(first) {
    live();
  }

  void act(Deed deed) {
    switch (deed) {
      case Deed::hold:
        RC_ASSERT(writer_->append_hold(numbered_hold(next_)).ok());
        said_[next_] = {0};
        running_.push_back(next_++);
        break;
      case Deed::progress:
        progress();
        break;
      case Deed::finish:
        finish();
        break;
      case Deed::apply:
        RC_ASSERT(process_->applier.step().ok());
        break;
      case Deed::crash:
        die();
        live();
        if (*rc::gen::arbitrary<bool>()) RC_ASSERT(process_->applier.recover().ok());
    }
  }
  void die() {
    writer_.reset();
    process_.reset();
    running_.clear();
  }
  // Cuts the last file somewhere: its process died in a write. False if there is none.
  bool tear() {
    fs::path last;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      if (entry.path().extension() == ".spool") last = std::max(last, entry.path());
    }
    if (last.empty()) return false;
    fs::resize_file(last, *rc::gen::inRange<uintmax_t>(0, fs::file_size(last) + 1));
    return true;
  }
  void recover() {
    live();
    RC_ASSERT(process_->applier.recover().ok());
    RC_ASSERT(process_->applier.backlog().segments == 0u);
    die();
  }
  int64_t next() const { return next_; }
  // Token counts that each request's records stated, oldest first.
  const std::map<int64_t, std::vector<int64_t>>& said() const { return said_; }

 private:
  void live() {
    process_ = std::make_unique<Process>(folder_, database_, clock_, 3);
    writer_ = process_->spool->writer(0);
  }
  void progress() {
    if (running_.empty()) return;
    const int64_t n = running_.front();
    writer_->append_progress({numbered_request(n), {}, {n + 1, 1}, 10});
    said_[n].push_back(n + 2);
  }
  void finish() {
    if (running_.empty()) return;
    const int64_t n = running_.back();
    running_.pop_back();
    writer_->append_final(numbered_final(n));
    said_[n].push_back(numbered_final(n).usage.total());
  }

  SpoolFolder folder_;
  sql::Database& database_;
  const base::Clock& clock_;
  int64_t next_;
  std::unique_ptr<Process> process_;
  std::unique_ptr<SpoolWriter> writer_;
  std::vector<int64_t> running_;
  std::map<int64_t, std::vector<int64_t>> said_;
};

TEST_P(ApplierTest, ExactlyOnceThroughCrashesAndTornFiles) {
  int64_t next = 0;  // never repeats: the store stays the same through all cases
  EXPECT_TRUE(rc::check([&] {
    const int64_t first = next;
    Story story(database(), clock_, first);
    const auto deeds =
        *rc::gen::container<std::vector<Deed>>(rc::gen::weightedElement<Deed>({{6, Deed::hold},
                                                                               {2, Deed::progress},
                                                                               {6, Deed::finish},
                                                                               {2, Deed::apply},
                                                                               {1, Deed::crash}}));
    for (const Deed deed : deeds) story.act(deed);
    story.die();
    const bool torn = *rc::gen::arbitrary<bool>() && story.tear();
    for (int run = 0; run < 2; ++run) story.recover();
    next = story.next();

    const auto rows = stored_usage(database()).rows;
    RC_ASSERT(!::testing::Test::HasFailure());
    for (const auto& [n, said] : story.said()) {
      const auto row = rows.find(n);
      if (row == rows.end()) {
        RC_ASSERT(torn);
        continue;
      }
      if (!torn) RC_ASSERT(row->second.first == said.back());
      RC_ASSERT(std::count(said.begin(), said.end(), row->second.first) > 0);
    }
    for (auto row = rows.lower_bound(first); row != rows.end(); ++row) {
      RC_ASSERT(story.said().contains(row->first));
    }
  }));
}

}  // namespace
}  // namespace deeppool::governance
