#include "sql/sqlite/sqlite_statement.h"

#include <sqlite3.h>

#include "sql/sqlite/sqlite_connection.h"

namespace deeppool::sql {
namespace {

// SQLite takes a null pointer for NULL, whatever the length.
const char* never_null(std::string_view s) {
  return s.data() == nullptr ? "" : s.data();
}

struct Bind {
  sqlite3_stmt* statement;
  int index;
  int operator()(std::monostate) const { return sqlite3_bind_null(statement, index); }
  int operator()(int64_t v) const { return sqlite3_bind_int64(statement, index, v); }
  int operator()(base::Money v) const { return (*this)(v.units()); }
  int operator()(double v) const { return sqlite3_bind_double(statement, index, v); }
  int operator()(std::string_view v) const {
    return sqlite3_bind_text64(statement, index, never_null(v), v.size(), SQLITE_STATIC,
                               SQLITE_UTF8);
  }
  int operator()(Blob v) const {
    return sqlite3_bind_blob64(statement, index, never_null(v.bytes), v.bytes.size(),
                               SQLITE_STATIC);
  }
};

}  // namespace

SqliteStatement::~SqliteStatement() {
  sqlite3_finalize(handle_);
}

Result<Outcome> SqliteStatement::run(std::span<const Value> arguments) {
  if (arguments.size() != static_cast<size_t>(sqlite3_bind_parameter_count(handle_))) {
    return Error(ErrorCode::internal, "the database refused a statement", "number of arguments");
  }
  for (size_t i = 0; i < arguments.size(); ++i) {
    const int code = std::visit(Bind{handle_, static_cast<int>(i) + 1}, arguments[i]);
    if (code != SQLITE_OK) return connection_.last_error();
  }
  DP_CHECK(step());
  if (position_ == Position::on_row) {
    position_ = Position::before_first;
    return Outcome{};
  }
  sqlite3* const db = sqlite3_db_handle(handle_);
  return Outcome{sqlite3_changes64(db), sqlite3_last_insert_rowid(db)};
}

Result<Outcome> SqliteStatement::run_rows(std::span<const Value> values, size_t width) {
  connection_.given_rows() = {values, width};
  auto outcome = run({});
  connection_.given_rows() = {};
  return outcome;
}

size_t SqliteStatement::columns() const {
  return static_cast<size_t>(sqlite3_column_count(handle_));
}

Result<bool> SqliteStatement::next() {
  if (position_ == Position::before_first) {
    position_ = Position::on_row;
  } else if (position_ == Position::on_row) {
    DP_CHECK(step());
  }
  return position_ == Position::on_row;
}

Result<void> SqliteStatement::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW || code == SQLITE_DONE) {
    position_ = code == SQLITE_ROW ? Position::on_row : Position::at_end;
    return {};
  }
  return connection_.last_error();
}

Value SqliteStatement::column(size_t index) const {
  const int i = static_cast<int>(index);
  const auto bytes = [&](const void* data) {
    return std::string_view(static_cast<const char*>(data),
                            static_cast<size_t>(sqlite3_column_bytes(handle_, i)));
  };
  switch (sqlite3_column_type(handle_, i)) {
    case SQLITE_INTEGER:
      return static_cast<int64_t>(sqlite3_column_int64(handle_, i));
    case SQLITE_FLOAT:
      return sqlite3_column_double(handle_, i);
    case SQLITE_TEXT:
      return bytes(sqlite3_column_text(handle_, i));
    case SQLITE_BLOB:
      return Blob{bytes(sqlite3_column_blob(handle_, i))};
    default:
      return {};
  }
}

void SqliteStatement::close() {
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
  position_ = Position::closed;
}

}  // namespace deeppool::sql
