#include "sql/sqlite/sqlite_connection.h"

#include <sqlite3.h>

#include "sql/limits.h"
#include "sql/sqlite/sqlite_statement.h"
#include "sql/taken.h"

namespace deeppool::sql {
namespace {

Error unavailable(const char* message, std::string detail) {
  return Error(ErrorCode::unavailable, message, std::move(detail));
}

// "UNIQUE constraint failed: users.email, users.x" -> "email". SQLite names columns here, never
// values.
std::string column_of(std::string_view message) {
  const size_t dot = message.find('.');
  if (dot == std::string_view::npos) return {};
  const std::string_view rest = message.substr(dot + 1);
  return std::string(rest.substr(0, rest.find(',')));
}

Error to_error(int code, std::string detail) {
  switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return taken(column_of(detail), detail);
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return Error(ErrorCode::conflict,
                   "it refers to something that does not exist, or is referred to",
                   std::move(detail));
    default:
      break;
  }
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return unavailable("the database is busy; try again in a moment", std::move(detail));
    case SQLITE_FULL:
      return unavailable("the disk that holds the data directory is full", std::move(detail));
    case SQLITE_READONLY:
      return unavailable("the database is read-only: check the data directory", std::move(detail));
    case SQLITE_IOERR:
      return unavailable("the disk that holds the data directory fails", std::move(detail));
    case SQLITE_CANTOPEN:
      return unavailable("the database file cannot be opened: check the data directory",
                         std::move(detail));
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return unavailable("the database file is damaged or is not a database", std::move(detail));
    default:
      return Error(ErrorCode::internal, "the database refused a statement", std::move(detail));
  }
}

std::string setup(Access access) {
  if (access == Access::inspect) {
    return "PRAGMA busy_timeout = " + std::to_string(kSqliteBusyWait.count()) +
           "; PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;";
  }
  std::string text =
      "PRAGMA busy_timeout = " + std::to_string(kSqliteBusyWait.count()) +
      "; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
      " PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;"
      " PRAGMA journal_size_limit = 67108864;";
  if (access == Access::read) text += " PRAGMA query_only = ON;";
  return text;
}

}  // namespace

Result<std::unique_ptr<Connection>> SqliteConnection::open(const std::string& path, Access access) {
  // Its memory statistics cost a mutex per allocation, and nobody reads them.
  [[maybe_unused]] static const int quiet = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  sqlite3* handle = nullptr;
  const int mode =
      access == Access::inspect ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int flags = mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(handle));
  if (code != SQLITE_OK) return connection->last_error();
  // Statements are literals of ours, but names in double quotes falling back to strings hide typing
  // errors.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  if (!add_given_rows(handle, connection->given_rows_)) return connection->last_error();
  DP_CHECK(connection->run_plain(setup(access)));
  return std::unique_ptr<Connection>(std::move(connection));
}

SqliteConnection::~SqliteConnection() {
  drop_statements();
  sqlite3_close(handle_);
}

Result<void> SqliteConnection::run_plain(const std::string& text) {
  if (sqlite3_exec(handle_, text.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return last_error();
}

Result<void> SqliteConnection::make_durable() {
  const int code =
      sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_FULL, nullptr, nullptr);
  if (code == SQLITE_OK) return {};
  if (code != SQLITE_BUSY) return last_error();
  return Error(ErrorCode::unavailable, "The database is busy.", "readers held back a checkpoint");
}

Result<void> SqliteConnection::set_durability(Durability durability) {
  if (durability == durability_) return {};
  DP_CHECK(run_plain(durability == Durability::later ? "PRAGMA synchronous = NORMAL"
                                                     : "PRAGMA synchronous = FULL"));
  durability_ = durability;
  return {};
}

Result<std::unique_ptr<Statement>> SqliteConnection::prepare(const std::string& text) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, text.data(), static_cast<int>(text.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return last_error();
  return std::unique_ptr<Statement>(std::make_unique<SqliteStatement>(*this, statement));
}

Error SqliteConnection::last_error() {
  if (handle_ == nullptr) return Error(ErrorCode::unavailable, "out of memory", "sqlite3_open_v2");
  const int code = sqlite3_extended_errcode(handle_);
  const int primary = code & 0xff;
  if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED) fault_ = Fault::transient;
  return to_error(code, "SQLite " + std::to_string(code) + ": " + sqlite3_errmsg(handle_));
}

}  // namespace deeppool::sql
