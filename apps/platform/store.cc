#include "apps/platform/store.h"

#include "crypto/private_folder.h"
#include "sql/mysql/mysql_database.h"
#include "sql/sqlite/sqlite_database.h"

namespace deeppool::platform {
namespace {

sql::TlsPolicy tls_policy(const std::string& name) {
  if (name == "required") return sql::TlsPolicy::required;
  return name == "off" ? sql::TlsPolicy::off : sql::TlsPolicy::preferred;
}

sql::MysqlOptions mysql_options(const MysqlSettings& m) {
  sql::MysqlOptions options;
  options.host = m.host;
  options.port = static_cast<uint16_t>(m.port);
  options.socket = m.socket;
  options.user = m.user;
  options.password = m.password;
  options.database = m.database;
  options.tls = tls_policy(m.tls);
  options.ca_file = m.ca_file;
  options.readers = static_cast<size_t>(m.readers);
  options.writers = static_cast<size_t>(m.writers);
  return options;
}

}  // namespace

Result<std::unique_ptr<sql::Database>> open_database(const Config& config) {
  if (const auto failed = crypto::make_private_folder(config.data_dir)) {
    return Error(ErrorCode::unavailable, "data_dir: cannot make the directory " + config.data_dir +
                                             ": " + failed.message());
  }
  if (config.mysql) return sql::open_mysql(mysql_options(*config.mysql));
  return sql::open_sqlite({.data_dir = config.data_dir});
}

Result<std::unique_ptr<sql::Database>> open_existing_database(const Config& config) {
  DP_CHECK(inspect_database(config));
  return open_database(config);
}

Result<std::unique_ptr<sql::Database>> inspect_database(const Config& config) {
  if (config.mysql) return sql::open_mysql(mysql_options(*config.mysql));
  return sql::inspect_sqlite({.data_dir = config.data_dir});
}

}  // namespace deeppool::platform
