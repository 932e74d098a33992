// The program as an operator runs it, killed at every point where it has changed something.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "sql/migrator/migration.h"
#include "testing/databases.h"
#include "testing/schema_dump.h"

namespace deeppool::migrate {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Ended {
  int status = 0;  // of waitpid
  std::string output;
  bool killed() const { return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; }
  bool succeeded() const { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }
};

std::string read_all(int fd) {
  std::string out;
  char buffer[4096];
  for (ssize_t n = 0; (n = read(fd, buffer, sizeof buffer)) > 0;)
    out.append(buffer, static_cast<size_t>(n));
  return out;
}

// Words are separated by single spaces; the first may be NAME=value for the environment.
Ended run_command(const std::string& command) {
  std::vector<std::string> words;
  for (const std::string_view word : base::split(command, ' ')) {
    if (!word.empty()) words.emplace_back(word);
  }
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    const bool has_variable = words[0].find('=') != std::string::npos;
    if (has_variable) putenv(arguments[0]);
    arguments.push_back(nullptr);
    execv(arguments[has_variable], arguments.data() + has_variable);
    _exit(127);
  }
  close(ends[1]);
  Ended ended;
  ended.output = read_all(ends[0]);
  close(ends[0]);
  waitpid(child, &ended.status, 0);
  return ended;
}

class MigrateProgram : public testing::DatabaseTest {
 protected:
  MigrateProgram() : DatabaseTest(testing::Schema::empty) {}
  void SetUp() override {
    DatabaseTest::SetUp();
    if (IsSkipped()) return;
    temporary().close();  // SQLite's directory has one owner at a time
    folder_ = ::testing::TempDir() + "deeppool_migrate_XXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }
  // `program` with the flags of a database, the rest as given.
  static Ended run(testing::TemporaryDatabase& target, const std::string& rest = "",
                   const std::string& environment = "") {
    std::string flags;
    for (const std::string& flag : target.migrate_flags()) flags += " " + flag;
    return run_command(environment + " " + MIGRATE_PROGRAM + flags + " " + rest);
  }
  std::string write_file(const std::string& name, const std::string& text) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  std::string folder_;
  std::string engine_ending() {
    return GetParam() == testing::DatabaseKind::sqlite ? ".sqlite.sql" : ".mysql.sql";
  }
};
DEEPPOOL_EACH_DATABASE(MigrateProgram);

int64_t count_lines(const std::string& text, std::string_view start) {
  const auto lines = base::split(text, '\n');
  return std::ranges::count_if(lines, [&](std::string_view l) { return l.starts_with(start); });
}

TEST_P(MigrateProgram, KilledAnywhereTheNextRunFinishesTheSameSchema) {
  const Ended whole = run(temporary());
  ASSERT_TRUE(whole.succeeded());
  // What fills a new table from older ones finds nothing to do in an empty database.
  const auto found = count_lines(whole.output, "found ");
  temporary().reopen();
  const std::string wanted = testing::schema_dump(temporary().database());
  const auto steps =
      temporary().database().read()->query_value<int64_t>("SELECT COUNT(*) FROM schema_migrations");
  ASSERT_TRUE(steps.ok());
  temporary().close();
  int points = 0;
  for (bool killed = true; killed;) {
    const std::string crash = "DEEPPOOL_CRASH_AT=migrate:" + std::to_string(points + 1);
    testing::TemporaryDatabase target(GetParam(), testing::Schema::empty);
    target.close();
    const Ended first = run(target, "", crash);
    killed = first.killed();
    if (!killed) {
      EXPECT_TRUE(first.succeeded()) << first.output;
    } else {
      ++points;
      run(target, "", crash);  // killed again, or done
      run(target, "", crash);
      const Ended last = run(target);
      EXPECT_TRUE(last.succeeded()) << "after point " << points << ": " << last.output;
    }
    target.reopen();
    EXPECT_EQ(testing::schema_dump(target.database()), wanted) << "after point " << points;
    EXPECT_EQ(
        *target.database().read()->query_value<int64_t>("SELECT COUNT(*) FROM schema_migrations"),
        *steps);
  }
  EXPECT_EQ(points, 2 * *steps - found);  // after each statement and after each journal row
}

TEST_P(MigrateProgram, SaysWhenNothingIsToDo) {
  EXPECT_THAT(run(temporary()).output, HasSubstr("done migration 001_identity step 1 (users)"));
  const Ended again = run(temporary());
  EXPECT_TRUE(again.succeeded());
  EXPECT_EQ(again.output, "the schema is up to date\n");
}

TEST_P(MigrateProgram, DryRunChangesNothing) {
  const Ended dry = run(temporary(), "--dry-run");
  EXPECT_TRUE(dry.succeeded()) << dry.output;
  EXPECT_THAT(dry.output,
              HasSubstr("would run migration 001_identity step 1 (users):\nCREATE TABLE users"));
  EXPECT_EQ(run(temporary(), "--dry-run").output, dry.output);
}

TEST_P(MigrateProgram, FailedFileIsResumedByThePrintedCommand) {
  ASSERT_TRUE(run(temporary()).succeeded());
  // Behind all that there are: each has a file for either engine.
  const std::string number = fmt::format("{:03}", sql::embedded_migration_files().size() / 2 + 1);
  const std::string more = number + "_more";
  const std::string file =
      write_file(more + engine_ending(),
                 "-- step: one\n-- probe: table one\nCREATE TABLE one (id INTEGER);\n"
                 "-- step: two\n-- probe: table two\nCREATE TABLE two (id NONSENSE(,));\n");
  const Ended failed = run(temporary(), "--from 001 --file " + file);
  ASSERT_FALSE(failed.succeeded());
  EXPECT_THAT(failed.output, HasSubstr("done migration " + more + " step 1 (one)"));
  EXPECT_THAT(failed.output, HasSubstr("migration " + more + " step 2 (two): failed"));
  const size_t at = failed.output.find("resume with:\n  ");
  ASSERT_NE(at, std::string::npos) << failed.output;
  const std::string command = failed.output.substr(at + 15);
  EXPECT_THAT(command, HasSubstr("--from " + number));
  EXPECT_THAT(command, Not(HasSubstr("001")));
  write_file(more + engine_ending(),
             "-- step: one\n-- probe: table one\nCREATE TABLE one (id INTEGER);\n"
             "-- step: two\n-- probe: table two\nCREATE TABLE two (id INTEGER);\n");
  const Ended resumed = run_command(command.substr(0, command.find('\n')));
  EXPECT_TRUE(resumed.succeeded()) << resumed.output;
  EXPECT_EQ(resumed.output, "done migration " + more + " step 2 (two)\n");
}

TEST_P(MigrateProgram, ReadsTheStoreFromAConfigFile) {
  std::string yaml = "server: {http_addr: ':8080'}\n";
  const auto flags = temporary().migrate_flags();
  if (GetParam() == testing::DatabaseKind::sqlite) {
    yaml += "data_dir: " + flags.at(1) + "\n";
  } else {
    yaml += "mysql:\n";
    for (size_t i = 0; i < flags.size(); i += 2)
      yaml += "  " + flags[i].substr(2) + ": \"" + flags[i + 1] + "\"\n";
  }
  const std::string file = write_file("manager.yaml", yaml);
  const Ended done = run_command(std::string(MIGRATE_PROGRAM) + " --config " + file);
  EXPECT_TRUE(done.succeeded()) << done.output;
  EXPECT_EQ(run(temporary()).output, "the schema is up to date\n");
}

TEST(MigrateProgramErrors, AreOneLineThatSaysWhatToDo) {
  const struct {
    std::string flags;
    const char* said;
  } kCases[] = {
      {"--data-dir /proc/none", "cannot make the data directory"},
      {"--host 127.0.0.1 --port 1 --password hunter2",
       "cannot connect to the database server at 127.0.0.1:1"},
      {"--host x --port 99999", "mysql.port is a number"},
      {"--host x --tls maybe", "mysql.tls is off, preferred or required"},
      {"--config /none.yaml", "/none.yaml"},
      {"--nonsense", "--nonsense"},
  };
  for (const auto& c : kCases) {
    const Ended ended = run_command(std::string(MIGRATE_PROGRAM) + " " + c.flags);
    EXPECT_FALSE(ended.succeeded());
    EXPECT_THAT(ended.output, HasSubstr(c.said));
    EXPECT_THAT(ended.output, Not(HasSubstr("hunter2")));
  }
}

}  // namespace
}  // namespace deeppool::migrate
