// A prepared statement of libmariadb. Owned by its connection's cache; gone with the connection, so
// that a reconnect prepares anew. Rows are fetched one by one; a value longer than its buffer is
// fetched again after the buffer has grown, and the buffer stays that large.
#pragma once

#include <mysql.h>

#include <memory>
#include <string>
#include <vector>

#include "sql/connection.h"

namespace deeppool::sql {

class MysqlConnection;

class MysqlStatement final : public Statement {
 public:
  MysqlStatement(MysqlConnection& connection, MYSQL_STMT* handle)
      : connection_(connection), handle_(handle) {}
  ~MysqlStatement() override;

  Result<void> prepare(const std::string& text);

  Result<Outcome> run(std::span<const Value> arguments) override;
  Result<Outcome> run_rows(std::span<const Value> values, size_t) override { return run(values); }
  size_t columns() const override { return columns_.size(); }
  Result<bool> next() override;
  Value column(size_t index) const override;
  void close() override;

 private:
  enum class Kind { integer, real, whole_decimal, text, blob };
  struct Column {
    Kind kind = Kind::text;
    int64_t integer = 0;
    double real = 0;
    std::string bytes;
    unsigned long length = 0;
    my_bool is_null = 0;
    my_bool error = 0;
  };
  static Kind kind_of(const MYSQL_FIELD& field);
  Result<void> describe_columns();
  Result<void> bind_columns();
  Result<void> fetch_long_values();

  MysqlConnection& connection_;
  MYSQL_STMT* handle_;
  std::vector<Column> columns_;  // binds_ points into it: sized once
  std::vector<MYSQL_BIND> binds_;
};

}  // namespace deeppool::sql
