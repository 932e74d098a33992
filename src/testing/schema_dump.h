// The schema of a database as text, for tests that compare two of them.
#pragma once

#include <string>
#include <vector>

#include "sql/database.h"

namespace deeppool::testing {

// Every table and index with its full definition, in the engine's own words. Throws if it cannot be
// read.
std::string schema_dump(sql::Database& database);

// "table.column null" or "table.column not null" of every table, sorted: equal on all engines.
std::vector<std::string> column_names(sql::Database& database);

}  // namespace deeppool::testing
