// kill -9 against a gateway in small: a child process writes records and applies them; it is killed
// at random, or kills itself at a named crash point; afterwards every request that it told us was
// complete is in the store exactly once.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <thread>

#include "governance/applier/applier.h"
#include "governance/applier/crash_world.h"
#include "sql/migrator/migrator.h"
#include "sql/sqlite/sqlite_database.h"
#include "testing/databases.h"

namespace deeppool::governance {
namespace {

constexpr int64_t kRequestsPerRun = 1'000'000;
constexpr int kJournal = 100;  // the descriptor of a child that is this program again

// A gateway's life: two loops and the applier, on a database of its own. A request's number is told
// through `journal` after its final record is written, as its last byte would go to the caller
// then.
[[noreturn]] void live(const SpoolSettings& settings, sql::Database& database, int64_t first,
                       int journal) {
  const base::SystemClock clock;
  base::SystemRandom random;
  auto spool = Spool::open(settings, clock, random);
  if (!spool) ::_exit(1);
  UsageStore store(database, (*spool)->instance());
  Applier applier(**spool, store, 8);
  if (!applier.recover()) ::_exit(2);
  applier.start();
  const auto loop = [&](int number) {
    auto writer = (*spool)->writer(number);
    for (int64_t i = 0; i < kRequestsPerRun / 2; ++i) {
      const int64_t n = first + 2 * i + number;
      if (!writer->append_hold(numbered_hold(n))) ::_exit(3);
      if (i % 3 == 0) writer->append_progress({numbered_request(n), {}, {n + 1, 1}, 10});
      writer->append_final(numbered_final(n));
      if (::write(journal, &n, sizeof n) != sizeof n) ::_exit(4);
      if (i % 40 == 39)
        ::usleep(1000);  // tidy: allow sleep: paces the load of a process that is to be killed
    }
  };
  std::jthread other(loop, 1);
  loop(0);
  other.join();
  ::_exit(5);
}

// Everything the children told, read from the pipe until it is empty.
void collect(int journal, std::set<int64_t>& told) {
  int64_t n = 0;
  while (::read(journal, &n, sizeof n) == sizeof n) told.insert(n);
}

void expect_exactly_once(const std::set<int64_t>& told, const StoredUsage& stored) {
  EXPECT_GT(told.size(), 0u);
  for (const int64_t n : told) {
    const auto row = stored.rows.find(n);
    ASSERT_NE(row, stored.rows.end()) << "lost " << n;
    ASSERT_EQ(row->second.first, numbered_final(n).usage.total()) << n;
  }
  for (const auto& [n, row] : stored.rows) {
    const bool by_final = row.first == numbered_final(n).usage.total();
    EXPECT_TRUE(by_final || row.second == "crash_settled") << n;
  }
}

// The last life: takes over what the dead left.
void settle_and_check(const SpoolSettings& settings, sql::Database& database,
                      const std::set<int64_t>& told) {
  const base::SystemClock clock;
  base::SystemRandom random;
  auto spool = Spool::open(settings, clock, random);
  ASSERT_TRUE(spool.ok()) << spool.error().message;
  UsageStore store(database, (*spool)->instance());
  Applier applier(**spool, store);
  ASSERT_TRUE(applier.recover().ok());
  EXPECT_EQ(applier.backlog().segments, 0u);
  expect_exactly_once(told, stored_usage(database));
}

class KillTest : public testing::DatabaseTest {};
DEEPPOOL_EACH_DATABASE(KillTest);

TEST_P(KillTest, AtRandomInstants) {
  add_user_with_two_keys(database());
  SpoolFolder folder;
  SpoolSettings settings = folder.settings();
  settings.sync_interval = std::chrono::milliseconds(5);
  settings.segment_bytes = 20'000;
  std::set<int64_t> told;
  base::SystemRandom random;
  for (int round = 0; round < 15; ++round) {
    int journal[2];
    ASSERT_EQ(::pipe(journal), 0);
    temporary().close();
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(journal[0]);
      temporary().reopen();
      live(settings, database(), round * kRequestsPerRun, journal[1]);
    }
    ::close(journal[1]);
    std::jthread reader([&] { collect(journal[0], told); });
    ::usleep(static_cast<useconds_t>(
        20'000 + random.next_u64() % 80'000));  // tidy: allow sleep: the instant is the test
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    reader.join();
    ::close(journal[0]);
    ASSERT_TRUE(WIFSIGNALED(status)) << "child ended with " << WEXITSTATUS(status);
    temporary().reopen();
  }
  settle_and_check(settings, database(), told);
}

SpoolSettings child_settings(const std::filesystem::path& folder) {
  SpoolSettings settings;
  settings.directory = folder / "spool";
  settings.volatile_folder = VolatileFolder::allow;
  settings.segment_bytes = 5000;
  settings.reserve_bytes = 1 << 16;
  return settings;
}

// The child of NamedPoint: this program again, with DEEPPOOL_CRASH_AT set.
TEST(KillChild, DISABLED_LivesInTheGivenFolder) {
  const char* folder = std::getenv("DEEPPOOL_TEST_FOLDER");
  const char* first = std::getenv("DEEPPOOL_TEST_FIRST");
  if (folder == nullptr || first == nullptr) GTEST_SKIP();
  auto database = sql::open_sqlite({.data_dir = std::string(folder) + "/db"});
  ASSERT_TRUE(database.ok()) << database.error().message;
  live(child_settings(folder), **database, std::atoll(first), kJournal);
}

class NamedPoint : public ::testing::TestWithParam<const char*> {};

TEST_P(NamedPoint, KilledThereNothingIsLostOrDoubled) {
  SpoolFolder folder;
  const std::string db = folder.path() / "db";
  {
    auto database = sql::open_sqlite({.data_dir = db});
    ASSERT_TRUE(database.ok());
    ASSERT_TRUE(sql::migrate(**database).ok());
    add_user_with_two_keys(**database);
  }
  std::set<int64_t> told;
  for (int round = 0; round < 4; ++round) {
    int journal[2];
    ASSERT_EQ(::pipe(journal), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const std::string at = std::string(GetParam()) + ":" + std::to_string(1 + 7 * round);
      ::setenv("DEEPPOOL_CRASH_AT", at.c_str(), 1);
      ::setenv("DEEPPOOL_TEST_FOLDER", folder.path().c_str(), 1);
      ::setenv("DEEPPOOL_TEST_FIRST", std::to_string(round * kRequestsPerRun).c_str(), 1);
      ::dup2(journal[1], kJournal);
      ::execl("/proc/self/exe", "child", "--gtest_filter=KillChild.*", "--gtest_brief=1",
              "--gtest_also_run_disabled_tests", nullptr);
      ::_exit(9);
    }
    ::close(journal[1]);
    collect(journal[0], told);
    int status = 0;
    ::waitpid(child, &status, 0);
    ::close(journal[0]);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  }
  auto database = sql::open_sqlite({.data_dir = db});
  ASSERT_TRUE(database.ok());
  settle_and_check(child_settings(folder.path()), **database, told);
}
INSTANTIATE_TEST_SUITE_P(Points, NamedPoint,
                         ::testing::Values("after_hold", "after_final", "before_commit",
                                           "after_commit"),
                         [](const auto& point) { return std::string(point.param); });

}  // namespace
}  // namespace deeppool::governance
