// What only a file can do to us: a second owner, garbage, a full disk, a rival's lock.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "sql/sqlite/sqlite_database.h"
#include "sql/transaction.h"

namespace deeppool::sql {
namespace {

using ::testing::HasSubstr;

class Sqlite : public ::testing::Test {
 protected:
  Sqlite() {
    directory_ = ::testing::TempDir() + "deeppool_sqlite_XXXXXX";
    EXPECT_NE(mkdtemp(directory_.data()), nullptr);
  }
  ~Sqlite() override { std::filesystem::remove_all(directory_); }
  Result<std::unique_ptr<Database>> open() { return open_sqlite({.data_dir = directory_}); }
  void make_table(Database& database) {
    ASSERT_TRUE(
        database.write()->connection().run_plain("CREATE TABLE t (a TEXT NOT NULL) STRICT").ok());
  }
  std::string directory_;
};

TEST_F(Sqlite, SecondOwnerIsRefusedAndTold) {
  auto first = open();
  ASSERT_TRUE(first.ok());
  const auto second = open();
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::unavailable);
  EXPECT_THAT(second.error().message, HasSubstr("process " + std::to_string(getpid())));
  EXPECT_THAT(second.error().message, HasSubstr(directory_));
  *first = nullptr;
  EXPECT_TRUE(open().ok());
}

TEST_F(Sqlite, LockOfAKilledProcessIsFree) {
  const pid_t child = fork();
  if (child == 0) {
    const auto held = open();
    raise(held.ok() ? SIGKILL : SIGTERM);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_EQ(WTERMSIG(status), SIGKILL);
  EXPECT_TRUE(open().ok());
}

TEST_F(Sqlite, DirectoryIsMadeForItsOwnerOnly) {
  const std::string inner = directory_ + "/a/b";
  ASSERT_TRUE(open_sqlite({.data_dir = inner}).ok());
  EXPECT_EQ(std::filesystem::status(inner).permissions(), std::filesystem::perms::owner_all);
  std::ofstream(directory_ + "/file") << "x";
  const auto refused = open_sqlite({.data_dir = directory_ + "/file/x"});
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr(directory_ + "/file/x"));
}

TEST_F(Sqlite, FilesAreForTheirOwnerOnly) {
  const mode_t before = umask(022);
  const auto database = open();
  ASSERT_TRUE(database.ok());
  make_table(**database);
  umask(before);
  size_t files = 0;
  for (const auto& file : std::filesystem::directory_iterator(directory_)) {
    ++files;
    EXPECT_EQ(file.status().permissions() & ~std::filesystem::perms::owner_all,
              std::filesystem::perms::none)
        << file.path();
  }
  EXPECT_GE(files, 3u);  // the lock, the database and its log
}

TEST_F(Sqlite, GarbageIsNoDatabase) {
  std::ofstream(directory_ + "/deeppool.db") << std::string(5000, 'x');
  const auto refused = open();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("not a database"));
}

TEST_F(Sqlite, FullDiskIsUnavailableAndPasses) {
  const auto database = *open();
  make_table(*database);
  Writer w = *database->write();
  ASSERT_TRUE(w.connection().run_plain("PRAGMA max_page_count = 20").ok());
  const std::string text(50'000, 'x');
  Result<Outcome> done = Outcome{};
  for (int i = 0; i < 10 && done.ok(); ++i) done = w.execute("INSERT INTO t (a) VALUES (?)", text);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::unavailable);
  EXPECT_THAT(done.error().message, HasSubstr("full"));
  ASSERT_TRUE(w.connection().run_plain("PRAGMA max_page_count = 2000").ok());
  EXPECT_TRUE(w.execute("INSERT INTO t (a) VALUES (?)", text).ok());
}

TEST_F(Sqlite, ReaderCannotWrite) {
  const auto database = *open();
  make_table(*database);
  Reader r = *database->read();
  const auto rows = r.query<std::string>("INSERT INTO t (a) VALUES ('x')");
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().code, ErrorCode::unavailable);
  EXPECT_THAT(rows.error().message, HasSubstr("read-only"));
}

TEST_F(Sqlite, ReadersSeeTheLastCommitWhileSomebodyWrites) {
  const auto database = *open();
  make_table(*database);
  Writer w = *database->write();
  auto tx = Transaction::begin(w);
  ASSERT_TRUE(w.execute("INSERT INTO t (a) VALUES ('x')").ok());
  EXPECT_EQ(*database->read()->query_value<int64_t>("SELECT COUNT(*) FROM t"), 0);
  ASSERT_TRUE(tx->commit().ok());
  EXPECT_EQ(*database->read()->query_value<int64_t>("SELECT COUNT(*) FROM t"), 1);
}

TEST_F(Sqlite, RivalProcessIsWaitedForThenBusy) {
  const auto database = *open();
  make_table(*database);
  sqlite3* rival = nullptr;
  ASSERT_EQ(sqlite3_open((directory_ + "/deeppool.db").c_str(), &rival), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(rival, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const auto busy = database->write()->execute("INSERT INTO t (a) VALUES ('x')");
  ASSERT_FALSE(busy.ok());
  EXPECT_EQ(busy.error().code, ErrorCode::unavailable);
  int runs = 0;
  const auto done = run_transaction(*database, [&](Writer& tx) -> Result<void> {
    ++runs;
    DP_CHECK(tx.execute("INSERT INTO t (a) VALUES ('y')"));
    return {};
  });
  EXPECT_FALSE(done.ok());
  EXPECT_EQ(runs, 0);  // BEGIN IMMEDIATE failed each time
  sqlite3_close(rival);
  EXPECT_TRUE(database->write()->execute("INSERT INTO t (a) VALUES ('x')").ok());
}

TEST_F(Sqlite, ForeignKeysAndWalAreOn) {
  const auto database = *open();
  Writer w = *database->write();
  EXPECT_EQ(*w.query_value<int64_t>("PRAGMA foreign_keys"), 1);
  EXPECT_EQ(*w.query_value<std::string>("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(*w.query_value<int64_t>("PRAGMA synchronous"), 2);
}

TEST_F(Sqlite, CommitsAreFlushedUnlessTheyMayWait) {
  const auto database = *open();
  const auto level = [](Writer& tx) -> Result<int64_t> {
    return tx.query_value<int64_t>("PRAGMA synchronous");
  };
  EXPECT_EQ(*run_transaction(*database, level), 2);
  int64_t later = 0;
  const auto work = [&](Writer& tx) -> Result<void> {
    DP_TRY(later, level(tx));
    return {};
  };
  EXPECT_TRUE(
      run_transaction(*database, std::function<Result<void>(Writer&)>(work), Durability::later)
          .ok());
  EXPECT_EQ(later, 1);
  EXPECT_EQ(*run_transaction(*database, level), 2);
}

}  // namespace
}  // namespace deeppool::sql
