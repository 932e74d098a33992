// What the operator asked tools/migrate for: flags over environment over YAML file over defaults.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "sql/database.h"
#include "sql/mysql/mysql_database.h"

namespace deeppool::migrate {

struct Options {
  std::string config_file;
  std::string data_dir;     // SQLite
  sql::MysqlOptions mysql;  // used if has_mysql
  bool has_mysql = false;
  std::string file;  // run this one migration file instead of the embedded ones
  int from = 1;
  bool dry_run = false;
  std::string
      resume;  // the command line that the operator gave, without --from and without a password
};

// Parses the command line and what it refers to. Exits for --help and for wrong flags.
Result<Options> read_options(int argc, char** argv);

Result<std::unique_ptr<sql::Database>> open_database(const Options& options);

}  // namespace deeppool::migrate
