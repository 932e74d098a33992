// A prepared statement of SQLite. Owned by its connection's cache.
#pragma once

#include "sql/connection.h"

struct sqlite3_stmt;

namespace deeppool::sql {

class SqliteConnection;

class SqliteStatement final : public Statement {
 public:
  SqliteStatement(SqliteConnection& connection, sqlite3_stmt* handle)
      : connection_(connection), handle_(handle) {}
  ~SqliteStatement() override;

  Result<Outcome> run(std::span<const Value> arguments) override;
  Result<Outcome> run_rows(std::span<const Value> values, size_t width) override;
  size_t columns() const override;
  Result<bool> next() override;
  Value column(size_t index) const override;
  void close() override;

 private:
  Result<void> step();
  SqliteConnection& connection_;
  sqlite3_stmt* handle_;
  // run() takes the first step, because a statement without rows does its work there.
  enum class Position { closed, before_first, on_row, at_end } position_ = Position::closed;
};

}  // namespace deeppool::sql
