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
  const std::string path = (std::filesystem::path(options.data_dir) / options.file_name).string();
  auto database =
      std::make_unique<Database>(std::make_unique<SqliteConnector>(path, std::move(lock)),
                                 Database::Sizes{.readers = options.readers, .writers = 1});
  // So that a bad file is reported at the start.
  if (const auto probe = database->write(); !probe) {
    Error error = probe.error();
    error.message += " (" + path + ")";
    return error;
  }
  return database;
}

}  // namespace deeppool::sql
