#include "sql/mysql/mysql_connection.h"

#include <mysql.h>
#include <mysqld_error.h>

#include <mutex>

#include "sql/mysql/mysql_errors.h"
#include "sql/mysql/mysql_statement.h"

namespace deeppool::sql {
namespace {

// With these modes SQLite and MySQL agree on quotes, backslashes and ||, and nothing is cut
// silently. NAMES sets the connection's character set; times are numbers of ours, the zone only
// matters to {now_ms}.
constexpr const char* kSession =
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,ANSI_QUOTES,PIPES_AS_CONCAT,"
    "NO_BACKSLASH_ESCAPES', time_zone = '+00:00', innodb_lock_wait_timeout = 5, lock_wait_timeout "
    "= 5";

void set_timeouts(MYSQL* handle, const MysqlOptions& options) {
  const auto connect = static_cast<unsigned>(options.connect_timeout.count());
  const auto io = static_cast<unsigned>(options.io_timeout.count());
  mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
  mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &io);
  mysql_options(handle, MYSQL_OPT_WRITE_TIMEOUT, &io);
}

void set_tls(MYSQL* handle, const MysqlOptions& options) {
  // ENFORCE alone still falls back to plain text when the server has no TLS; only VERIFY makes it
  // binding.
  // A socket does not leave the machine, so `preferred` spares it the cost.
  const bool local = !options.socket.empty();
  const my_bool use =
      options.tls == TlsPolicy::required || (options.tls == TlsPolicy::preferred && !local);
  const my_bool verify = options.tls == TlsPolicy::required;
  mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &use);
  mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
  if (!options.ca_file.empty()) mysql_options(handle, MYSQL_OPT_SSL_CA, options.ca_file.c_str());
}

const char* or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

}  // namespace

Result<std::unique_ptr<Connection>> MysqlConnection::open(const MysqlOptions& options) {
  // mysql_init is not safe on several threads before the library has been set up once.
  static std::once_flag once;
  std::call_once(once, [] { mysql_library_init(0, nullptr, nullptr); });
  std::unique_ptr<MysqlConnection> connection(new MysqlConnection(mysql_init(nullptr)));
  DP_CHECK(connection->connect(options));
  return std::unique_ptr<Connection>(std::move(connection));
}

Result<void> MysqlConnection::connect(const MysqlOptions& options) {
  if (handle_ == nullptr) return Error(ErrorCode::unavailable, "out of memory", "mysql_init");
  set_timeouts(handle_, options);
  set_tls(handle_, options);
  const unsigned no_files = 0;
  mysql_options(handle_, MYSQL_OPT_LOCAL_INFILE, &no_files);
  mysql_options(handle_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  // FOUND_ROWS: an UPDATE counts the rows that it matched, as SQLite does, not those that it
  // changed.
  const bool by_socket = !options.socket.empty();
  if (mysql_real_connect(handle_, by_socket ? nullptr : options.host.c_str(), options.user.c_str(),
                         options.password.c_str(), options.database.c_str(), options.port,
                         or_null(options.socket), CLIENT_FOUND_ROWS) == nullptr) {
    return connect_error(options);
  }
  if (options.tls == TlsPolicy::required && mysql_get_ssl_cipher(handle_) == nullptr) {
    return Error(ErrorCode::unavailable,
                 "the database server offers no TLS, which mysql.tls requires");
  }
  DP_CHECK(run_plain(kSession));
  return run_plain("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
}

Error MysqlConnection::connect_error(const MysqlOptions& options) {
  const unsigned code = mysql_errno(handle_);
  const std::string where =
      options.socket.empty() ? options.host + ":" + std::to_string(options.port) : options.socket;
  std::string message = "cannot connect to the database server at " + where;
  if (code == ER_ACCESS_DENIED_ERROR) {
    message = "the database server at " + where + " refuses user '" + options.user +
              "': check mysql.user and mysql.password";
  } else if (code == ER_DBACCESS_DENIED_ERROR) {
    message = "the database server at " + where + " does not let user '" + options.user +
              "' use the database '" + options.database +
              "', or has none; run there: GRANT ALL ON " + options.database + ".* TO '" +
              options.user + "'";
  } else if (code == ER_BAD_DB_ERROR) {
    message = "the database server at " + where + " has no database '" + options.database +
              "'; make it with: CREATE DATABASE " + options.database + " CHARACTER SET utf8mb4";
  }
  fault_ = Fault::lost;
  return Error(ErrorCode::unavailable, std::move(message),
               "MySQL " + std::to_string(code) + ": " + ::mysql_error(handle_));
}

MysqlConnection::~MysqlConnection() {
  drop_statements();
  if (handle_ != nullptr) mysql_close(handle_);
}

Result<void> MysqlConnection::run_plain(const std::string& text) {
  if (mysql_real_query(handle_, text.data(), text.size()) == 0) return {};
  return last_error();
}

bool MysqlConnection::alive() {
  return mysql_ping(handle_) == 0;
}

Result<std::unique_ptr<Statement>> MysqlConnection::prepare(const std::string& text) {
  auto statement = std::make_unique<MysqlStatement>(*this, mysql_stmt_init(handle_));
  DP_CHECK(statement->prepare(text));
  return std::unique_ptr<Statement>(std::move(statement));
}

Error MysqlConnection::last_error(st_mysql_stmt* statement) {
  const unsigned code = statement != nullptr ? mysql_stmt_errno(statement) : mysql_errno(handle_);
  const char* text = statement != nullptr ? mysql_stmt_error(statement) : ::mysql_error(handle_);
  fault_ = mysql_fault(code);
  return sql::mysql_error(code, text);
}

}  // namespace deeppool::sql
