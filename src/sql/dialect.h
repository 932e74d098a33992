// The few places where SQLite and MySQL/MariaDB speak differently, as fragments inside one SQL
// text:
//   {upsert a, b}   after VALUES (...): on a duplicate of the unique columns a, b update instead:
//                   INSERT INTO t (a, b, n) VALUES (?, ?, ?) {upsert a, b} n = n + {new n}
//   {new n}         the value that the failed insert carried, inside an upsert
//   {now_ms}        the database's own clock, unix milliseconds (leases compare only this one)
//   {money}         the `?` of a Money in arithmetic or a comparison: a bare one is text to MySQL,
//                   which would compute with it as a DOUBLE; counts as one placeholder
//   {for_update}    at the end of a SELECT in a transaction: nobody else may change these rows
//                   meanwhile
//   {for_share}     likewise, but others may do the same: these rows stay as they are until the end
//   {rows}          the rows of Writer::insert_rows: INSERT INTO t (a, b) {rows}
//   {list}          the values of Reader::query_list: WHERE id IN ({list})
// Everything else must mean the same to all engines; the SQL lint test holds us to it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace deeppool::sql {

enum class Engine { sqlite, mysql };  // mysql: MySQL 8+ and MariaDB 10.11+
std::string_view to_string(Engine engine);

// `text` with its fragments in the engine's words. `repeat` is how many rows of `width` values
// {rows} stands for, or how many placeholders {list} stands for. SQLite reads any number of rows
// from its table `given_rows` (sqlite/given_rows.h), MySQL has a placeholder for each value.
struct Repeat {
  size_t count = 0;
  size_t width = 1;
};
std::string expand(Engine engine, std::string_view text, Repeat repeat = {});

// A pattern for `LIKE ? ESCAPE '!'` that finds `keyword` anywhere, its own % and _ taken literally.
// Columns compare bytewise, so search without regard to case as LOWER(column) LIKE LOWER(?).
std::string like_pattern(std::string_view keyword);

}  // namespace deeppool::sql
