// One connection to an SQLite file. Readers are query_only; the writer commits in WAL with
// synchronous=NORMAL (a power cut may lose the last commits, never part of one: the spool replays
// them).
#pragma once

#include <memory>
#include <string>

#include "sql/connection.h"

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

 protected:
  Result<std::unique_ptr<Statement>> prepare(const std::string& text) override;

 private:
  explicit SqliteConnection(sqlite3* handle) : handle_(handle) {}
  sqlite3* handle_;
};

}  // namespace deeppool::sql
