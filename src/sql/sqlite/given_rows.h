// The table `given_rows` of a connection: the rows that Writer::insert_rows inserts now, read where
// they are. `INSERT ... SELECT c0, c1 FROM given_rows` has one text for any number of rows, and no
// placeholder to bind and to clear for each value (a third of what a row of many columns costs).
// Owned by its connection. Invariant: the values outlive the statement that reads them.
#pragma once

#include <span>

#include "sql/value.h"

struct sqlite3;

namespace deeppool::sql {

struct GivenRows {
  std::span<const Value> values;  // row by row
  size_t width = 0;               // columns of a row; more read as NULL
};

// Columns c0, c1, ... up to kMaxGivenColumns. False: out of memory. `rows` outlives the handle.
bool add_given_rows(sqlite3* handle, GivenRows& rows);

}  // namespace deeppool::sql
