// A migration: the ordered steps of one file of migrations/, as read by parse_migration. Plain
// values. migrations/README.md describes the format.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sql/dialect.h"

namespace deeppool::sql {

// What tells whether a step is done.
struct Probe {
  enum class Kind { table, view, column, index, rows };
  enum class Wanted { present, gone };
  Kind kind = Kind::table;
  Wanted wanted = Wanted::present;
  std::string table;  // or view
  std::string name;   // of the column or index
  std::string query;  // rows: its first column is not 0 when the step is done
};

struct Step {
  int number = 0;  // from 1, in its migration
  std::string title;
  Probe probe;
  std::string statement;  // without comments and without the closing semicolon
  std::string checksum;   // SHA-256 of the statement, white space normalised, in hex
};

struct Migration {
  int version = 0;
  std::string name;  // "001_identity"
  std::vector<Step> steps;
};

struct MigrationFile {
  std::string_view name;  // "001_identity.sqlite.sql"
  std::string_view text;
};

// invalid_request that names file and line: a step without a probe, an unknown probe, two
// statements ...
Result<Migration> parse_migration(const MigrationFile& file);

// The migrations of an engine among `files`, in order of version; a gap or a double number is an
// error.
Result<std::vector<Migration>> parse_migrations(Engine engine,
                                                std::span<const MigrationFile> files);

// The files of migrations/ as they were when the program was built.
std::span<const MigrationFile> embedded_migration_files();

// Without white space at its ends and with single spaces elsewhere.
std::string normalised(std::string_view sql);

}  // namespace deeppool::sql
