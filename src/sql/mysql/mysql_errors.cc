#include "sql/mysql/mysql_errors.h"

#include <errmsg.h>
#include <mysqld_error.h>

#include "sql/taken.h"

namespace deeppool::sql {
namespace {

constexpr unsigned kStatementTimeMysql = 3024;    // ER_QUERY_TIMEOUT
constexpr unsigned kStatementTimeMariadb = 1969;  // ER_STATEMENT_TIMEOUT
constexpr unsigned kDiskFullMysql = 3675;  // ER_ENGINE_OUT_OF_DISK... ("create" refused, no space)

bool is_lost(unsigned code) {
  switch (code) {
    case CR_SERVER_GONE_ERROR:
    case CR_SERVER_LOST:
    case CR_CONNECTION_ERROR:
    case CR_CONN_HOST_ERROR:
    case CR_IPSOCK_ERROR:
    case CR_SERVER_HANDSHAKE_ERR:
    case CR_COMMANDS_OUT_OF_SYNC:
    case CR_MALFORMED_PACKET:
    case ER_SERVER_SHUTDOWN:
    case ER_NORMAL_SHUTDOWN:
    case ER_CONNECTION_KILLED:
    case ER_NEW_ABORTING_CONNECTION:
      return true;
    default:
      return false;
  }
}

bool is_read_only(unsigned code) {
  return code == ER_OPTION_PREVENTS_STATEMENT || code == ER_OPEN_AS_READONLY ||
         code == ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION;
}

// "Duplicate entry 'x' for key 'users.email'": the value may itself contain quotes, the key's name
// cannot.
std::string key_of(std::string_view message) {
  const size_t end = message.rfind('\'');
  if (end == std::string_view::npos || end == 0) return {};
  const size_t begin = message.rfind('\'', end - 1);
  if (begin == std::string_view::npos) return {};
  std::string_view key = message.substr(begin + 1, end - begin - 1);
  if (const size_t dot = key.rfind('.'); dot != std::string_view::npos) key.remove_prefix(dot + 1);
  return std::string(key);
}

// "Data too long for column 'name' at row 1" -> "name".
std::string column_of(std::string_view message) {
  const size_t begin = message.find('\'');
  if (begin == std::string_view::npos) return {};
  return std::string(message.substr(begin + 1, message.find('\'', begin + 1) - begin - 1));
}

// Server messages quote names and values alike; only errors about names may keep them.
bool may_quote_values(unsigned code) {
  switch (code) {
    case ER_TRUNCATED_WRONG_VALUE:
    case ER_TRUNCATED_WRONG_VALUE_FOR_FIELD:
    case ER_WRONG_VALUE_FOR_TYPE:
    case ER_DATA_OUT_OF_RANGE:
    case WARN_DATA_TRUNCATED:
      return true;
    default:
      return false;
  }
}

std::string log_detail(unsigned code, std::string_view message) {
  std::string out = "MySQL " + std::to_string(code);
  if (!may_quote_values(code)) out += ": " + std::string(message);
  return out;
}

Error unavailable(const char* message, std::string detail) {
  return Error(ErrorCode::unavailable, message, std::move(detail));
}

}  // namespace

Fault mysql_fault(unsigned code) {
  if (is_lost(code)) return Fault::lost;
  if (code == ER_LOCK_DEADLOCK || code == ER_LOCK_WAIT_TIMEOUT) return Fault::transient;
  return Fault::none;
}

Error mysql_error(unsigned code, std::string_view message) {
  if (code == ER_DUP_ENTRY || code == ER_DUP_ENTRY_WITH_KEY_NAME) {
    return taken(key_of(message), "MySQL 1062: duplicate " + key_of(message));
  }
  if (code == ER_DATA_TOO_LONG) return Error::invalid(column_of(message), "the text is too long");
  std::string detail = log_detail(code, message);
  if (code == ER_NO_REFERENCED_ROW_2 || code == ER_ROW_IS_REFERENCED_2) {
    return Error(ErrorCode::conflict,
                 "it refers to something that does not exist, or is referred to",
                 std::move(detail));
  }
  if (is_lost(code)) return unavailable("the database server cannot be reached", std::move(detail));
  if (mysql_fault(code) == Fault::transient || code == kStatementTimeMysql ||
      code == kStatementTimeMariadb || code == ER_CON_COUNT_ERROR ||
      code == ER_TOO_MANY_USER_CONNECTIONS) {
    return unavailable("the database is busy; try again in a moment", std::move(detail));
  }
  if (code == ER_DISK_FULL || code == ER_RECORD_FILE_FULL || code == kDiskFullMysql) {
    return unavailable("the database server's disk is full", std::move(detail));
  }
  if (is_read_only(code)) return unavailable("the database server is read-only", std::move(detail));
  return Error(ErrorCode::internal, "the database refused a statement", std::move(detail));
}

}  // namespace deeppool::sql
