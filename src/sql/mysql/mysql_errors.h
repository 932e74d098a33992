// What the numbers of MySQL and MariaDB errors mean here.
// Source: mysqld_error.h and errmsg.h of MariaDB Connector/C 3.3; MySQL 8.0 Error Message
// Reference.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "sql/connection.h"

namespace deeppool::sql {

Fault mysql_fault(unsigned code);
// `message` is the server's text; values that it quotes do not get into the Error.
Error mysql_error(unsigned code, std::string_view message);

}  // namespace deeppool::sql
