#include "sql/sqlite/sqlite_database.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

#include "crypto/private_folder.h"
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

// SQLite would make it readable for all, and gives the files beside it the mode of this one. A file
// that exists is not opened: closing it would end the locks that SQLite holds in this process.
void make_private_file(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0) close(fd);  // SQLite says it better if it cannot be made
}

Error at_path(Error error, const std::string& path) {
  error.message += " (" + path + ")";
  return error;
}

}  // namespace

Result<std::unique_ptr<Database>> open_sqlite(const SqliteOptions& options) {
  if (const auto failed = crypto::make_private_folder(options.data_dir)) {
    return Error(ErrorCode::unavailable,
                 "cannot make the data directory " + options.data_dir + ": " + failed.message());
  }
  DP_TRY(auto lock, DirectoryLock::take(options.data_dir));
  const std::string path = path_of(options);
  make_private_file(path);
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
