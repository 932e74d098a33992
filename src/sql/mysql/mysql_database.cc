#include "sql/mysql/mysql_database.h"

#include "sql/mysql/mysql_connection.h"

namespace deeppool::sql {
namespace {

class MysqlConnector final : public Connector {
 public:
  explicit MysqlConnector(MysqlOptions options) : options_(std::move(options)) {}
  Engine engine() const override { return Engine::mysql; }
  Result<std::unique_ptr<Connection>> connect(Access) override {
    return MysqlConnection::open(options_);
  }

 private:
  const MysqlOptions options_;
};

}  // namespace

Result<std::unique_ptr<Database>> open_mysql(const MysqlOptions& options) {
  auto database = std::make_unique<Database>(
      std::make_unique<MysqlConnector>(options),
      Database::Sizes{.readers = options.readers, .writers = options.writers});
  DP_TRY(const auto probe, database->write());  // so that a wrong password is reported at the start
  return database;
}

}  // namespace deeppool::sql
