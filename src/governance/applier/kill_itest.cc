// kill -9 against a gateway in small: a child process writes records and applies them; it is killed
// at random, or kills itself at a named crash point; afterwards every request that it told us was
// complete is in the store exactly once.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "base/text.h"
#include "governance/applier/applier.h"
#include "governance/applier/crash_world.h"
#include "sql/mysql/mysql_database.h"
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

SpoolSettings spool_settings(const std::filesystem::path& folder) {
  SpoolSettings settings;
  settings.directory = folder;
  settings.volatile_folder = VolatileFolder::allow;
  settings.sync_interval = std::chrono::milliseconds(5);
  settings.segment_bytes = 8000;
  settings.reserve_bytes = 1 << 16;
  return settings;
}

// What the flags of tools/migrate name: `--data-dir D`, or a server and a schema.
Result<std::unique_ptr<sql::Database>> open_by_flags(const std::string& flags) {
  std::map<std::string, std::string> given;
  std::istringstream words(flags);
  for (std::string name, value; words >> name >> value;) given[name] = value;
  if (given.contains("--data-dir")) return sql::open_sqlite({.data_dir = given["--data-dir"]});
  sql::MysqlOptions options;
  options.database = given["--database"];
  options.user = given["--user"];
  options.password = given["--password"];
  options.socket = given["--socket"];
  if (given.contains("--host")) options.host = given["--host"];
  if (given.contains("--port")) options.port = *base::parse_int<uint16_t>(given["--port"]);
  return sql::open_mysql(options);
}

// The child: this program again.
TEST(KillChild, DISABLED_LivesInTheGivenFolder) {
  const char* folder = std::getenv("DEEPPOOL_TEST_FOLDER");
  if (folder == nullptr) GTEST_SKIP() << "only as the child of the tests below";
  auto database = open_by_flags(std::getenv("DEEPPOOL_TEST_FLAGS"));
  ASSERT_TRUE(database.ok()) << database.error().message;
  live(spool_settings(folder), **database, std::atoll(std::getenv("DEEPPOOL_TEST_FIRST")),
       kJournal);
}

class KillTest : public testing::DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (!IsSkipped()) add_user_with_two_keys(database());
  }

  // One life of the gateway, to its death; `crash_at` empty: killed at a random instant.
  void live_and_die(const std::string& crash_at) {
    int journal[2];
    ASSERT_EQ(::pipe(journal), 0);
    temporary().close();  // SQLite's directory has one owner
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) become_gateway(crash_at, journal[1]);
    ::close(journal[1]);
    std::jthread reader([&] { collect(journal[0], told_); });
    if (crash_at.empty()) {
      const auto instant = static_cast<useconds_t>(30'000 + random_.next_u64() % 100'000);
      ::usleep(instant);  // tidy: allow sleep: the instant is the test
      ::kill(child, SIGKILL);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    reader.join();
    ::close(journal[0]);
    temporary().reopen();
    first_ += kRequestsPerRun;
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  }
  void settle_and_check() {
    const base::SystemClock clock;
    auto spool = Spool::open(spool_settings(folder_.path()), clock, random_);
    ASSERT_TRUE(spool.ok()) << spool.error().message;
    UsageStore store(database(), (*spool)->instance());
    Applier applier(**spool, store);
    ASSERT_TRUE(applier.recover().ok());
    EXPECT_EQ(applier.backlog().segments, 0u);
    expect_exactly_once(told_, stored_usage(database()));
  }

 private:
  [[noreturn]] void become_gateway(const std::string& crash_at, int journal) {
    std::string flags;
    for (const std::string& flag : temporary().migrate_flags()) flags += flag + ' ';
    ::setenv("DEEPPOOL_TEST_FOLDER", folder_.path().c_str(), 1);
    ::setenv("DEEPPOOL_TEST_FLAGS", flags.c_str(), 1);
    ::setenv("DEEPPOOL_TEST_FIRST", std::to_string(first_).c_str(), 1);
    if (!crash_at.empty()) ::setenv("DEEPPOOL_CRASH_AT", crash_at.c_str(), 1);
    ::dup2(journal, kJournal);
    ::execl("/proc/self/exe", "child", "--gtest_filter=KillChild.*", "--gtest_brief=1",
            "--gtest_also_run_disabled_tests", nullptr);
    ::_exit(9);
  }

  SpoolFolder folder_;
  base::SystemRandom random_;
  int64_t first_ = 0;
  std::set<int64_t> told_;
};
DEEPPOOL_EACH_DATABASE(KillTest);

TEST_P(KillTest, AtRandomInstants) {
  for (int round = 0; round < 15; ++round) live_and_die("");
  settle_and_check();
}

TEST_P(KillTest, AtNamedPoints) {
  for (const std::string point : {"after_hold", "after_final", "before_commit", "after_commit"}) {
    for (const char* visit : {":1", ":8", ":15"}) live_and_die(point + visit);
  }
  settle_and_check();
}

}  // namespace
}  // namespace deeppool::governance
