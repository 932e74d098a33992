// The store that a configuration names: MySQL or MariaDB when it has a section `mysql`, else SQLite
// in its data directory. For the server and for the programs' small commands alike.
#pragma once

#include <memory>

#include "apps/platform/config.h"
#include "sql/database.h"

namespace deeppool::platform {

// Blocking. Makes the data directory (mode 0700) when it is absent. unavailable: the message says
// what to mend.
Result<std::unique_ptr<sql::Database>> open_database(const Config& config);

// The same for reading only, also beside a running program. unavailable: there is no store yet.
Result<std::unique_ptr<sql::Database>> inspect_database(const Config& config);

}  // namespace deeppool::platform
