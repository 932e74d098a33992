// One connection to a MySQL or MariaDB server. After a lost link it stays lost; the pool makes
// another.
#pragma once

#include <memory>
#include <string>

#include "sql/connection.h"
#include "sql/mysql/mysql_database.h"

struct st_mysql;
struct st_mysql_stmt;

namespace deeppool::sql {

class MysqlConnection final : public Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(const MysqlOptions& options);
  ~MysqlConnection() override;

  Engine engine() const override { return Engine::mysql; }
  Result<void> run_plain(const std::string& text) override;
  // A commit is durable already (innodb_flush_log_at_trx_commit is the server's to set).
  Result<void> make_durable() override { return {}; }
  bool alive() override;

  // The Error for the last failure of the connection or of one of its statements; sets fault().
  Error last_error(st_mysql_stmt* statement = nullptr);

 protected:
  Result<std::unique_ptr<Statement>> prepare(const std::string& text) override;

 private:
  explicit MysqlConnection(st_mysql* handle) : handle_(handle) {}
  Result<void> connect(const MysqlOptions& options);
  Error connect_error(const MysqlOptions& options);
  st_mysql* handle_;
};

}  // namespace deeppool::sql
