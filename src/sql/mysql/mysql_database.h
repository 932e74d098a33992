// MySQL 8+ or MariaDB 10.11+ as a Database, through libmariadb's prepared statements. A bounded set
// of connections, made when needed and replaced when the server dropped them; every one READ
// COMMITTED, utf8mb4, strict SQL mode, UTC.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "sql/database.h"

namespace deeppool::sql {

enum class TlsPolicy {
  off,        // plain, for loopback and sockets
  preferred,  // encrypted if the server can, its certificate not checked
  required,   // encrypted, certificate and host name verified, or no connection
};

struct MysqlOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 3306;
  std::string socket;  // a path instead of host and port
  std::string user = "root";
  std::string password;
  std::string database = "deeppool";
  TlsPolicy tls = TlsPolicy::preferred;
  std::string ca_file;  // PEM; empty: the system's store
  std::chrono::seconds connect_timeout{5};
  std::chrono::seconds io_timeout{
      30};  // one read or write on the socket, so also the longest statement
  size_t readers = kMysqlReaders;
  size_t writers = kMysqlWriters;
};

// unavailable: the server cannot be reached, refuses the password, has no such database, or lacks
// the TLS asked for.
Result<std::unique_ptr<Database>> open_mysql(const MysqlOptions& options);

}  // namespace deeppool::sql
