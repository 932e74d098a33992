#include "testing/databases.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <stdexcept>

#include "base/text.h"
#include "sql/migrator/migrator.h"
#include "sql/migrator/schema.h"
#include "sql/mysql/mysql_database.h"
#include "sql/sqlite/sqlite_database.h"

namespace deeppool::testing {
namespace {

const char* variable(DatabaseKind kind) {
  return kind == DatabaseKind::mariadb ? "DEEPPOOL_TEST_MARIADB" : "DEEPPOOL_TEST_MYSQL";
}

void must(Result<void> result) {
  if (!result)
    throw std::runtime_error(result.error().message + " (" + result.error().detail + ")");
}

template <class T>
T must(Result<T> result) {
  if (result) return *std::move(result);
  throw std::runtime_error(result.error().message + " (" + result.error().detail + ")");
}

// `unix:PATH[:USER[:PASSWORD]]` or `HOST:PORT[:USER[:PASSWORD]]`.
sql::MysqlOptions server(DatabaseKind kind, const std::string& database) {
  const auto parts = base::split(std::getenv(variable(kind)), ':');
  sql::MysqlOptions options;
  options.database = database;
  if (parts.size() < 2) throw std::runtime_error(std::string(variable(kind)) + " is malformed");
  if (parts[0] == "unix") {
    options.socket = parts[1];
  } else {
    options.host = parts[0];
    options.port = base::parse_int<uint16_t>(parts[1]).value_or(0);
  }
  if (parts.size() > 2) options.user = parts[2];
  if (parts.size() > 3) options.password = parts[3];
  return options;
}

void run_on_server(DatabaseKind kind, const std::string& statement) {
  const auto server_wide = must(sql::open_mysql(server(kind, "")));
  auto writer = must(server_wide->write());
  if (auto done = writer.connection().run_plain(statement); !done) {
    throw std::runtime_error(statement + ": " + done.error().detail);
  }
}

// Emptied and with its counters at 1, so that the next test cannot tell it from a new one.
void make_pristine(sql::Database& database) {
  auto writer = must(database.write());
  sql::Connection& connection = writer.connection();
  must(connection.run_plain("SET SESSION foreign_key_checks = 0"));
  for (const auto& row :
       must(sql::read_text(connection, "SHOW FULL TABLES WHERE table_type = 'BASE TABLE'"))) {
    const bool kept =
        row[0] == "schema_migrations" || row[0] == "leases" || row[0] == "config_version";
    const std::string any_row = "SELECT 1 FROM " + row[0] + " LIMIT 1";
    if (kept || must(sql::read_text(connection, any_row)).empty()) continue;
    must(connection.run_plain("TRUNCATE TABLE " + row[0]));
  }
  must(connection.run_plain("DELETE FROM leases WHERE name <> 'schema'"));
  must(connection.run_plain("UPDATE config_version SET version = 1"));
  must(connection.run_plain("SET SESSION foreign_key_checks = 1"));
}

// Migrating takes a server a second, so migrated schemas are emptied and kept for the next test of
// this program.
class SpareSchemas {
 public:
  ~SpareSchemas() {
    for (const auto& [kind, name] : spares_) run_on_server(kind, "DROP DATABASE " + name);
  }
  std::optional<std::string> take(DatabaseKind kind) {
    const std::lock_guard lock(mutex_);
    const auto found = spares_.find(kind);
    if (found == spares_.end()) return std::nullopt;
    std::string name = std::move(found->second);
    spares_.erase(found);
    return name;
  }
  void keep(DatabaseKind kind, std::string name) {
    const std::lock_guard lock(mutex_);
    spares_.emplace(kind, std::move(name));
  }

 private:
  std::mutex mutex_;
  std::multimap<DatabaseKind, std::string> spares_;
};

SpareSchemas& spare_schemas() {
  static SpareSchemas spares;
  return spares;
}

std::string new_name(DatabaseKind kind) {
  if (kind == DatabaseKind::sqlite) {
    std::string pattern = std::filesystem::temp_directory_path() / "deeppool_test_XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    return pattern;
  }
  static std::atomic<int> counter{0};
  return "deeppool_test_" + std::to_string(getpid()) + "_" + std::to_string(++counter);
}

}  // namespace

bool TemporaryDatabase::available(DatabaseKind kind) {
  return kind == DatabaseKind::sqlite || std::getenv(variable(kind)) != nullptr;
}

TemporaryDatabase::TemporaryDatabase(DatabaseKind kind, Schema schema)
    : kind_(kind), schema_(schema) {
  const bool reusable = kind_ != DatabaseKind::sqlite && schema_ == Schema::migrated;
  if (auto spare = reusable ? spare_schemas().take(kind_) : std::nullopt) {
    name_ = *std::move(spare);
    database_ = open();
    make_pristine(*database_);
    return;
  }
  name_ = new_name(kind_);
  if (kind_ != DatabaseKind::sqlite) {
    run_on_server(kind_, "CREATE DATABASE " + name_ + " CHARACTER SET utf8mb4");
  }
  database_ = open();
  if (schema_ == Schema::migrated) must(sql::migrate(*database_));
}

TemporaryDatabase::~TemporaryDatabase() {
  database_.reset();
  if (kind_ == DatabaseKind::sqlite) {
    std::filesystem::remove_all(name_);
  } else if (schema_ == Schema::migrated) {
    spare_schemas().keep(kind_, name_);
  } else {
    run_on_server(kind_, "DROP DATABASE " + name_);
  }
}

std::vector<std::string> TemporaryDatabase::migrate_flags() const {
  if (kind_ == DatabaseKind::sqlite) return {"--data-dir", name_};
  const sql::MysqlOptions options = server(kind_, name_);
  std::vector<std::string> flags{"--database", name_, "--user", options.user};
  if (options.socket.empty()) {
    flags.insert(flags.end(), {"--host", options.host, "--port", std::to_string(options.port)});
  } else {
    flags.insert(flags.end(), {"--socket", options.socket});
  }
  return flags;
}

std::unique_ptr<sql::Database> TemporaryDatabase::open() const {
  if (kind_ == DatabaseKind::sqlite) return must(sql::open_sqlite({.data_dir = name_}));
  return must(sql::open_mysql(server(kind_, name_)));
}

std::unique_ptr<sql::Database> TemporaryDatabase::open_again() const {
  return kind_ == DatabaseKind::sqlite ? nullptr : open();
}

void TemporaryDatabase::reopen() {
  database_ = open();
}

void DatabaseTest::SetUp() {
  if (!TemporaryDatabase::available(GetParam())) {
    GTEST_SKIP() << variable(GetParam()) << " names no server (tools/test_servers.sh starts one)";
  }
  temporary_.emplace(GetParam(), schema_);
}

std::string database_name(const ::testing::TestParamInfo<DatabaseKind>& info) {
  switch (info.param) {
    case DatabaseKind::sqlite:
      return "sqlite";
    case DatabaseKind::mariadb:
      return "mariadb";
    case DatabaseKind::mysql:
      return "mysql";
  }
  return "unknown";
}

}  // namespace deeppool::testing
