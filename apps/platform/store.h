// The store that a configuration names: MySQL or MariaDB when it has a section `mysql`, else SQLite
// in its data directory. For the server and for the programs' small commands alike.
#pragma once

#include <memory>

#include "apps/platform/config.h"
#include "sql/database.h"

namespace deeppool::platform {

// All block; unavailable: the message says what to mend.
// For the server: makes the data directory (mode 0700) and the database when they are absent.
Result<std::unique_ptr<sql::Database>> open_database(const Config& config);
// For commands on a store that there must be: a mistyped data_dir is not made.
Result<std::unique_ptr<sql::Database>> open_existing_database(const Config& config);
// For reading only, also beside a running program; never makes anything.
Result<std::unique_ptr<sql::Database>> inspect_database(const Config& config);

}  // namespace deeppool::platform
