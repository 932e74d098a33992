// One connection to an SQLite file, in WAL mode. Readers are query_only. A commit is flushed
// (synchronous=FULL), unless its transaction was begun with Durability::later (NORMAL: a power cut
// may take back the last of them, never a part of one).
#pragma once

#include <memory>
#include <string>

#include "sql/connection.h"
#include "sql/sqlite/given_rows.h"

struct sqlite3;

namespace deeppool::sql {

class SqliteConnection final : public Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(const std::string& path, Access access);
  ~SqliteConnection() override;

  Engine engine() const override { return Engine::sqlite; }
  Result<void> run_plain(const std::string& text) override;
  bool alive() override { return true; }
  Result<void> make_durable() override;

  // The Error for the handle's last failure; sets fault().
  Error last_error();
  // What `given_rows` has for the statement that runs next.
  GivenRows& given_rows() { return given_rows_; }

 protected:
  Result<void> set_durability(Durability durability) override;
  Result<std::unique_ptr<Statement>> prepare(const std::string& text) override;

 private:
  explicit SqliteConnection(sqlite3* handle) : handle_(handle) {}
  sqlite3* handle_;
  GivenRows given_rows_;
  Durability durability_ = Durability::at_commit;
};

}  // namespace deeppool::sql
