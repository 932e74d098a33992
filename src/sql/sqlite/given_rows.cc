#include "sql/sqlite/given_rows.h"

#include <sqlite3.h>

#include <new>
#include <string>

#include "sql/limits.h"

namespace deeppool::sql {
namespace {

struct Table : sqlite3_vtab {
  const GivenRows* rows = nullptr;
};

struct Cursor : sqlite3_vtab_cursor {
  size_t first = 0;  // of the current row, among the values
};

const GivenRows& rows_of(const sqlite3_vtab_cursor* cursor) {
  return *static_cast<const Table*>(cursor->pVtab)->rows;
}

// tidy: allow parameters: the signature is SQLite's
int connect(sqlite3* handle, void* rows, int, const char* const*, sqlite3_vtab** out, char**) {
  std::string columns;
  for (size_t i = 0; i < kMaxGivenColumns; ++i) {
    columns += (i == 0 ? "c" : ", c") + std::to_string(i);
  }
  const int code = sqlite3_declare_vtab(handle, ("CREATE TABLE x(" + columns + ")").c_str());
  if (code != SQLITE_OK) return code;
  auto* table = new (std::nothrow) Table();
  if (table == nullptr) return SQLITE_NOMEM;
  table->rows = static_cast<const GivenRows*>(rows);
  *out = table;
  return sqlite3_vtab_config(handle, SQLITE_VTAB_DIRECTONLY);
}

int disconnect(sqlite3_vtab* table) {
  delete static_cast<Table*>(table);  // tidy: allow raw-delete: SQLite owned it
  return SQLITE_OK;
}

int plan(sqlite3_vtab*, sqlite3_index_info*) {
  return SQLITE_OK;
}

int open(sqlite3_vtab*, sqlite3_vtab_cursor** out) {
  *out = new (std::nothrow) Cursor();
  return *out == nullptr ? SQLITE_NOMEM : SQLITE_OK;
}

int close(sqlite3_vtab_cursor* cursor) {
  delete static_cast<Cursor*>(cursor);  // tidy: allow raw-delete: SQLite owned it
  return SQLITE_OK;
}

int to_first(sqlite3_vtab_cursor* cursor, int, const char*, int, sqlite3_value**) {
  static_cast<Cursor*>(cursor)->first = 0;
  // Nothing was given: an INSERT that inserts nothing would be a loss that nobody sees.
  return rows_of(cursor).values.empty() ? SQLITE_MISUSE : SQLITE_OK;
}

int to_next(sqlite3_vtab_cursor* cursor) {
  static_cast<Cursor*>(cursor)->first += rows_of(cursor).width;
  return SQLITE_OK;
}

int at_end(sqlite3_vtab_cursor* cursor) {
  return static_cast<Cursor*>(cursor)->first >= rows_of(cursor).values.size() ? 1 : 0;
}

struct Give {
  sqlite3_context* result;
  void operator()(std::monostate) const {}  // NULL is what nothing given means
  void operator()(int64_t v) const { sqlite3_result_int64(result, v); }
  void operator()(base::Money v) const { sqlite3_result_int64(result, v.units()); }
  void operator()(double v) const { sqlite3_result_double(result, v); }
  void operator()(std::string_view v) const {
    sqlite3_result_text64(result, v.empty() ? "" : v.data(), v.size(), SQLITE_STATIC, SQLITE_UTF8);
  }
  void operator()(Blob v) const {
    sqlite3_result_blob64(result, v.bytes.empty() ? "" : v.bytes.data(), v.bytes.size(),
                          SQLITE_STATIC);
  }
};

int column(sqlite3_vtab_cursor* cursor, sqlite3_context* result, int index) {
  const GivenRows& rows = rows_of(cursor);
  const auto i = static_cast<size_t>(index);
  if (i < rows.width) {
    std::visit(Give{result}, rows.values[static_cast<Cursor*>(cursor)->first + i]);
  }
  return SQLITE_OK;
}

int row_id(sqlite3_vtab_cursor* cursor, sqlite3_int64* out) {
  *out = static_cast<sqlite3_int64>(static_cast<Cursor*>(cursor)->first);
  return SQLITE_OK;
}

// Without xCreate it is there by its name alone, and nowhere in the schema.
constexpr sqlite3_module kModule = [] {
  sqlite3_module module{};
  module.xConnect = connect;
  module.xBestIndex = plan;
  module.xDisconnect = disconnect;
  module.xOpen = open;
  module.xClose = close;
  module.xFilter = to_first;
  module.xNext = to_next;
  module.xEof = at_end;
  module.xColumn = column;
  module.xRowid = row_id;
  return module;
}();

}  // namespace

bool add_given_rows(sqlite3* handle, GivenRows& rows) {
  return sqlite3_create_module(handle, "given_rows", &kModule, &rows) == SQLITE_OK;
}

}  // namespace deeppool::sql
