#include "testing/databases.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "base/text.h"
#include "sql/mysql/mysql_database.h"
#include "sql/sqlite/sqlite_database.h"

namespace deeppool::testing {
namespace {

const char* variable(DatabaseKind kind) {
  return kind == DatabaseKind::mariadb ? "DEEPPOOL_TEST_MARIADB" : "DEEPPOOL_TEST_MYSQL";
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
    : kind_(kind), name_(new_name(kind)) {
  if (kind_ != DatabaseKind::sqlite) {
    run_on_server(kind_, "CREATE DATABASE " + name_ + " CHARACTER SET utf8mb4");
  }
  database_ = open();
  if (schema == Schema::migrated) throw std::runtime_error("no migrations yet");
}

TemporaryDatabase::~TemporaryDatabase() {
  database_.reset();
  if (kind_ == DatabaseKind::sqlite) {
    std::filesystem::remove_all(name_);
  } else {
    run_on_server(kind_, "DROP DATABASE " + name_);
  }
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
