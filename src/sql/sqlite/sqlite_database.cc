#include "sql/sqlite/sqlite_database.h"

#include <filesystem>

#include "sql/sqlite/directory_lock.h"
#include "sql/sqlite/sqlite_connection.h"

namespace deeppool::sql {
namespace {

class SqliteConnector final : public Connector {
 public:
  SqliteConnector(std::string path, DirectoryLock lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}
  Engine engine() const override { return Engine::sqlite; }
  Result<std::unique_ptr<Connection>> connect(Access access) override {
    return SqliteConnection::open(path_, access);
  }

 private:
  const std::string path_;
  const DirectoryLock lock_;
};

class SqliteInspector final : public Connector {
 public:
  explicit SqliteInspector(std::string path) : path_(std::move(path)) {}
  Engine engine() const override { return Engine::sqlite; }
  Result<std::unique_ptr<Connection>> connect(Access) override {
    return SqliteConnection::open(path_, Access::inspect);
  }

 private:
  const std::string path_;
};

std::string path_of(const SqliteOptions& options) {
  return (std::filesystem::path(options.data_dir) / options.file_name).string();
}

Error at_path(Error error, const std::string& path) {
  error.message += " (" + path + ")";
  return error;
}

}  // namespace

Result<std::unique_ptr<Database>> open_sqlite(const SqliteOptions& options) {
  std::error_code failed;
  if (std::filesystem::create_directories(options.data_dir, failed)) {
    std::filesystem::permissions(options.data_dir, std::filesystem::perms::owner_all, failed);
  }
  if (failed) {
    return Error(ErrorCode::unavailable,
                 "cannot make the data directory " + options.data_dir + ": " + failed.message());
  }
  DP_TRY(auto lock, DirectoryLock::take(options.data_dir));
  const std::string path = path_of(options);
  auto database =
      std::make_unique<Database>(std::make_unique<SqliteConnector>(path, std::move(lock)),
                                 Database::Sizes{.readers = options.readers, .writers = 1});
  // So that a bad file is reported at the start.
  if (const auto probe = database->write(); !probe) return at_path(probe.error(), path);
  return database;
}

Result<std::unique_ptr<Database>> inspect_sqlite(const SqliteOptions& options) {
  const std::string path = path_of(options);
  auto database =
      std::make_unique<Database>(std::make_unique<SqliteInspector>(path),
                                 Database::Sizes{.readers = options.readers, .writers = 0});
  if (const auto probe = database->read(); !probe) return at_path(probe.error(), path);
  return database;
}

}  // namespace deeppool::sql
