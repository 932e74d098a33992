// SQLite as a Database: one file in WAL mode under data_dir, one writing connection, a few reading
// ones. The data directory belongs to one process at a time; a second one gets an error that says
// so.
#pragma once

#include <memory>
#include <string>

#include "sql/database.h"

namespace deeppool::sql {

struct SqliteOptions {
  std::string data_dir;  // made (mode 0700) when absent
  std::string file_name = "deeppool.db";
  size_t readers = kSqliteReaders;
};

// unavailable: the directory cannot be made, read or written, is in use, or the file is no
// database.
Result<std::unique_ptr<Database>> open_sqlite(const SqliteOptions& options);

// The same for reading only, without owning the directory: another process may be using it. There
// is no writer. unavailable: there is no such file, or it cannot be read.
Result<std::unique_ptr<Database>> inspect_sqlite(const SqliteOptions& options);

}  // namespace deeppool::sql
