// Brings a database to the newest schema. Called at every start and by tools/migrate; blocking.
// Each step is probe, one statement, verify, journal; killed anywhere, the next run goes on from
// there. Invariant: one migrator at a time changes a schema (SchemaLease), and only what it
// journalled counts as done.
#pragma once

#include <chrono>
#include <functional>
#include <string_view>
#include <vector>

#include "sql/database.h"
#include "sql/migrator/migration.h"

namespace deeppool::sql {

enum class MigrateMode { apply, dry_run };

struct MigrateOptions {
  MigrateMode mode = MigrateMode::apply;
  int from = 1;                                    // versions below must be complete already
  base::Duration wait = std::chrono::seconds(30);  // for another process that migrates
  // A line for the operator, per step that is (or in a dry run would be) done.
  std::function<void(std::string_view)> report = [](std::string_view) {};
};

struct MigrateOutcome {
  int steps_done = 0;  // or, in a dry run, to be done
};

// Runs what `migrations` (in order) have and the journal has not. An Error says which step failed
// and why; its `param` is that migration's number ("003"), from which a later run may resume.
// Refused: a database that is newer than the program, a step edited after it was applied, an object
// that exists but is defined otherwise.
Result<MigrateOutcome> migrate(Database& database, const std::vector<Migration>& migrations,
                               const MigrateOptions& options = {});

// The same with the embedded migrations of the database's engine.
Result<MigrateOutcome> migrate(Database& database, const MigrateOptions& options = {});

}  // namespace deeppool::sql
