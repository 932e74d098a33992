// Store tests on every engine: SQLite in a temporary directory always; MariaDB and MySQL when their
// servers are named by DEEPPOOL_TEST_MARIADB and DEEPPOOL_TEST_MYSQL (tools/test_servers.sh prints
// them), skipped visibly when not. Each test starts on an empty, migrated schema of its own.
//   class UserStore : public testing::DatabaseTest {};
//   DEEPPOOL_EACH_DATABASE(UserStore);
//   TEST_P(UserStore, Finds) { ... database() ... }
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/database.h"

namespace deeppool::testing {

enum class DatabaseKind { sqlite, mariadb, mysql };
enum class Schema { migrated, empty };

// A database that is gone when this is. Throws std::runtime_error if it cannot be had.
class TemporaryDatabase {
 public:
  explicit TemporaryDatabase(DatabaseKind kind, Schema schema = Schema::migrated);
  ~TemporaryDatabase();
  TemporaryDatabase(const TemporaryDatabase&) = delete;
  TemporaryDatabase& operator=(const TemporaryDatabase&) = delete;

  // False for a server that the environment does not name.
  static bool available(DatabaseKind kind);

  sql::Database& database() { return *database_; }
  // A second process's view of the same tables; SQLite has none (its directory has one owner).
  std::unique_ptr<sql::Database> open_again() const;
  // Flags for tools/migrate that name this database (a password goes by environment).
  std::vector<std::string> migrate_flags() const;
  // Closes database(); for tests that hand the tables to another process.
  void close() { database_.reset(); }
  void reopen();

 private:
  std::unique_ptr<sql::Database> open() const;
  DatabaseKind kind_;
  Schema schema_;
  std::string name_;  // the directory of SQLite, the schema of a server
  std::unique_ptr<sql::Database> database_;
};

class DatabaseTest : public ::testing::TestWithParam<DatabaseKind> {
 protected:
  explicit DatabaseTest(Schema schema = Schema::migrated) : schema_(schema) {}
  void SetUp() override;
  sql::Database& database() { return temporary_->database(); }
  TemporaryDatabase& temporary() { return *temporary_; }

 private:
  Schema schema_;
  std::optional<TemporaryDatabase> temporary_;
};

inline auto each_database() {
  return ::testing::Values(DatabaseKind::sqlite, DatabaseKind::mariadb, DatabaseKind::mysql);
}
std::string database_name(const ::testing::TestParamInfo<DatabaseKind>& info);

}  // namespace deeppool::testing

#define DEEPPOOL_EACH_DATABASE(suite)                                           \
  INSTANTIATE_TEST_SUITE_P(Engine, suite, ::deeppool::testing::each_database(), \
                           ::deeppool::testing::database_name)
