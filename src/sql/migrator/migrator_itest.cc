#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/migrator/migrator.h"
#include "sql/migrator/schema.h"
#include "testing/databases.h"
#include "testing/schema_dump.h"

namespace deeppool::sql {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class Migrator : public testing::DatabaseTest {
 protected:
  Migrator() : DatabaseTest(testing::Schema::empty) {}
  bool sqlite() { return database().engine() == Engine::sqlite; }
  // A migration of its own, written for the engine under test.
  Migration migration(const std::string& name, const std::string& for_sqlite,
                      const std::string& for_mysql) {
    const std::string file = name + (sqlite() ? ".sqlite.sql" : ".mysql.sql");
    const auto parsed = parse_migration({file, sqlite() ? for_sqlite : for_mysql});
    EXPECT_TRUE(parsed.ok()) << parsed.error().message;
    return *parsed;
  }
  Migration same(const std::string& name, const std::string& text) {
    return migration(name, text, text);
  }
  void run(const std::string& statement) {
    auto writer = database().write();
    const auto done = writer->connection().run_plain(statement);
    ASSERT_TRUE(done.ok()) << done.error().detail;
  }
  int64_t journal_rows() {
    return *database().read()->query_value<int64_t>("SELECT COUNT(*) FROM schema_migrations");
  }
};
DEEPPOOL_EACH_DATABASE(Migrator);

TEST_P(Migrator, MakesEveryTableOnceAndOnlyOnce) {
  std::vector<std::string> lines;
  MigrateOptions options;
  options.report = [&](std::string_view line) { lines.emplace_back(line); };
  const auto first = migrate(database(), options);
  ASSERT_TRUE(first.ok()) << first.error().message << first.error().detail;
  EXPECT_GT(first->steps_done, 10);
  EXPECT_EQ(lines.size(), static_cast<size_t>(first->steps_done));
  EXPECT_EQ(journal_rows(), first->steps_done);
  const std::string dump = testing::schema_dump(database());
  for (const char* table : {"users",           "user_sessions",       "api_keys",
                            "model_endpoints", "model_registry",      "model_endpoint_links",
                            "usage_records",   "token_usage_daily",   "spool_cursors",
                            "platform_config", "audit_log",           "config_version",
                            "leases",          "user_wallets",        "ledger_txns",
                            "ledger_entries",  "wallet_transactions", "token_grants",
                            "discounts",       "price_snapshots",     "fund_leases",
                            "instances",       "ledger_journal"}) {
    EXPECT_THAT(dump, HasSubstr(table));
  }
  EXPECT_EQ(*database().read()->query<int64_t>("SELECT version FROM config_version WHERE id = 1"),
            std::vector<int64_t>{1});

  const auto second = migrate(database());
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->steps_done, 0);
  EXPECT_EQ(testing::schema_dump(database()), dump);
}

TEST_P(Migrator, DryRunTellsAndTouchesNothing) {
  MigrateOptions options;
  options.mode = MigrateMode::dry_run;
  std::string told;
  options.report = [&](std::string_view line) { told += line; };
  const std::string before = testing::schema_dump(database());
  const auto outcome = migrate(database(), options);
  ASSERT_TRUE(outcome.ok());
  EXPECT_GT(outcome->steps_done, 10);
  EXPECT_THAT(told, HasSubstr("CREATE TABLE users"));
  EXPECT_EQ(testing::schema_dump(database()), before);
}

// What a kill between statement and journal row leaves behind, and more: a whole migration's rows.
TEST_P(Migrator, LostJournalIsRebuiltFromWhatIsThere) {
  const auto all = *parse_migrations(database().engine(), embedded_migration_files());
  for (size_t known = 1; known <= all.size(); ++known) {
    const std::vector<Migration> list(all.begin(), all.begin() + static_cast<ptrdiff_t>(known));
    ASSERT_TRUE(migrate(database(), list).ok());
    const std::string dump = testing::schema_dump(database());
    const size_t steps = list.back().steps.size();
    ASSERT_TRUE(database().write()->execute("DELETE FROM schema_migrations WHERE version = ?",
                                            list.back().version));
    std::vector<std::string> lines;
    MigrateOptions options;
    options.report = [&](std::string_view line) { lines.emplace_back(line.substr(0, 10)); };
    const auto again = migrate(database(), list, options);
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(lines, std::vector<std::string>(steps, "found done"));
    EXPECT_EQ(testing::schema_dump(database()), dump);
  }
}

constexpr const char* kTableT =
    "-- step: t\n-- probe: table t\nCREATE TABLE t (id INTEGER NOT NULL, note CHAR(9));\n";

TEST_P(Migrator, SameNameWithAnotherDefinitionIsRefused) {
  const struct {
    const char* exists;
    const char* step;
  } kCases[] = {
      {"CREATE TABLE t (id INTEGER NOT NULL, note CHAR(8))", kTableT},
      {"CREATE TABLE t (id INTEGER, note CHAR(9))", kTableT},
      {"CREATE TABLE t (id INTEGER NOT NULL)", kTableT},
      {"CREATE TABLE t (id INTEGER, n BIGINT)",
       "-- step: n\n-- probe: column t.n\nALTER TABLE t ADD COLUMN n BIGINT NOT NULL DEFAULT 0;\n"},
      {"CREATE TABLE t (id INTEGER, n INTEGER); ",
       "-- step: n\n-- probe: column t.n\nALTER TABLE t ADD COLUMN n CHAR(3);\n"},
  };
  for (const auto& c : kCases) {
    run("DROP TABLE IF EXISTS t");
    run(c.exists);
    const std::string before = testing::schema_dump(database());
    const auto refused = migrate(database(), {same("001_x", c.step)});
    ASSERT_FALSE(refused.ok()) << c.exists;
    EXPECT_THAT(refused.error().message, HasSubstr("another definition"));
    EXPECT_EQ(refused.error().param, "001");
  }
  run("DROP TABLE t");
  run("CREATE TABLE t (a INTEGER, b INTEGER)");
  run("CREATE INDEX i ON t (b)");
  run("CREATE VIEW v AS SELECT a FROM t");
  const auto other_view =
      migrate(database(),
              {same("001_x", "-- step: v\n-- probe: view v\nCREATE VIEW v AS SELECT b FROM t;\n")});
  ASSERT_FALSE(other_view.ok());
  EXPECT_THAT(other_view.error().message, HasSubstr("another definition"));
  for (const char* wanted : {"CREATE INDEX i ON t (a)", "CREATE INDEX i ON t (b, a)",
                             "CREATE UNIQUE INDEX i ON t (b)"}) {
    const auto refused = migrate(
        database(),
        {same("001_x", std::string("-- step: i\n-- probe: index i on t\n") + wanted + ";\n")});
    ASSERT_FALSE(refused.ok()) << wanted;
    EXPECT_THAT(refused.error().message, HasSubstr("another definition"));
  }
}

TEST_P(Migrator, ChangesOfAReleasedTable) {
  const Migration first = same("001_t", kTableT);
  const Migration second = migration(
      "002_more",
      "-- step: n\n-- probe: column t.n\nALTER TABLE t ADD COLUMN n INTEGER NOT NULL DEFAULT 7;\n"
      "-- step: i\n-- probe: index i on t\nCREATE UNIQUE INDEX i ON t (n, note);\n"
      "-- step: drop note's index again\n-- probe: no index i on t\nDROP INDEX i;\n"
      "-- step: drop note\n-- probe: no column t.note\nALTER TABLE t DROP COLUMN note;\n",
      "-- step: n\n-- probe: column t.n\nALTER TABLE t ADD COLUMN n BIGINT NOT NULL DEFAULT 7, "
      "ALGORITHM=INSTANT;\n"
      "-- step: i\n-- probe: index i on t\nCREATE UNIQUE INDEX i ON t (n, note);\n"
      "-- step: drop note's index again\n-- probe: no index i on t\nDROP INDEX i ON t;\n"
      "-- step: drop note\n-- probe: no column t.note\nALTER TABLE t DROP COLUMN note;\n");
  const Migration third = same("003_gone", "-- step: t\n-- probe: no table t\nDROP TABLE t;\n");
  for (const auto& list : {std::vector{first}, {first, second}, {first, second, third}}) {
    const auto done = migrate(database(), list);
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
  EXPECT_EQ(journal_rows(), 6);
}

// Each object stands, its journal row does not: the step must recognise its own work.
TEST_P(Migrator, RecognisesItsOwnColumnsIndexesAndViews) {
  const std::vector list{
      same("001_t", kTableT),
      migration(
          "002_n",
          "-- step: n\n-- probe: column t.n\nALTER TABLE t ADD COLUMN n INTEGER NOT NULL DEFAULT "
          "7;\n",
          "-- step: n\n-- probe: column t.n\nALTER TABLE t ADD COLUMN n BIGINT NOT NULL DEFAULT 7 "
          "AFTER id, ALGORITHM=INPLACE, LOCK=NONE;\n"),
      same("003_i",
           "-- step: i\n-- probe: index i on t\nCREATE UNIQUE INDEX i\n  ON t (n, note);\n"),
      same("004_v",
           "-- step: v\n-- probe: view v\nCREATE VIEW v AS SELECT id, n FROM t\n"
           "  WHERE n > 1;\n")};
  ASSERT_TRUE(migrate(database(), list).ok());
  const std::string dump = testing::schema_dump(database());
  ASSERT_TRUE(database().write()->execute("DELETE FROM schema_migrations WHERE version > 1").ok());
  const auto again = migrate(database(), list);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->steps_done, 3);
  EXPECT_EQ(testing::schema_dump(database()), dump);
}

TEST_P(Migrator, StopsAtTheFirstFailureAndGoesOnFromThere) {
  const auto list = [&](const char* second) {
    return std::vector{
        same("001_t", kTableT),
        same("002_u", std::string("-- step: u\n-- probe: table u\n") + second),
        same("003_v", "-- step: v\n-- probe: table v\nCREATE TABLE v (id INTEGER);\n")};
  };
  const auto failed = migrate(database(), list("CREATE TABLE u (id NONSENSE NONSENSE,);\n"));
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().param, "002");
  EXPECT_THAT(failed.error().message, HasSubstr("migration 002_u step 1 (u): failed"));
  EXPECT_EQ(journal_rows(), 1);
  MigrateOptions from;
  from.from = 2;
  const auto resumed = migrate(database(), list("CREATE TABLE u (id INTEGER);\n"), from);
  ASSERT_TRUE(resumed.ok()) << resumed.error().message;
  EXPECT_EQ(resumed->steps_done, 2);
}

TEST_P(Migrator, FromDoesNotSkipWhatIsMissing) {
  MigrateOptions from;
  from.from = 2;
  const auto refused = migrate(database(), {same("001_t", kTableT)}, from);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("without --from"));
}

TEST_P(Migrator, EditedStepIsRefused) {
  ASSERT_TRUE(migrate(database(), {same("001_t", kTableT)}).ok());
  const auto edited = migrate(
      database(), {same("001_t", "-- step: t\n-- probe: table t\nCREATE TABLE t (id INTEGER);\n")});
  ASSERT_FALSE(edited.ok());
  EXPECT_THAT(edited.error().message, HasSubstr("edited after"));
  EXPECT_TRUE(migrate(database(), {same("001_t", std::string("-- a comment\n") + kTableT)}).ok());
}

TEST_P(Migrator, NewerDatabaseIsRefused) {
  ASSERT_TRUE(migrate(database()).ok());
  ASSERT_TRUE(
      database()
          .write()
          ->execute("INSERT INTO schema_migrations (version, step, title, checksum, applied_at) "
                    "VALUES (99, 1, 'x', 'x', 0)")
          .ok());
  const auto refused = migrate(database());
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("schema 099"));
}

TEST_P(Migrator, WaitsForARunningOneAndReplacesADeadOne) {
  MigrateOptions impatient;
  impatient.wait = std::chrono::milliseconds(1);
  const std::vector list{same("001_t", kTableT)};
  ASSERT_TRUE(migrate(database(), {same("001_t", kTableT)}).ok());
  const std::vector more{
      list[0], same("002_u", "-- step: u\n-- probe: table u\nCREATE TABLE u (id INTEGER);\n")};
  const auto hold = [&](const std::string& holder) {
    ASSERT_TRUE(
        database()
            .write()
            ->execute(
                "UPDATE leases SET holder = ?, expires_at = {now_ms} + 60000 WHERE name = 'schema'",
                holder)
            .ok());
  };
  hold("elsewhere/1");
  const auto refused = migrate(database(), more, impatient);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("elsewhere/1"));
  char host[64] = {};
  gethostname(host, sizeof host - 1);
  hold(std::string(host) + "/4194304");  // above the kernel's highest process id
  EXPECT_TRUE(migrate(database(), more, impatient).ok());
}

// Both columns and their nullability must be the same on all engines; compared by name.
TEST_P(Migrator, EnginesHaveTheSameColumns) {
  ASSERT_TRUE(migrate(database()).ok());
  testing::TemporaryDatabase reference(testing::DatabaseKind::sqlite);
  EXPECT_EQ(testing::column_names(database()), testing::column_names(reference.database()));
}

}  // namespace
}  // namespace deeppool::sql
