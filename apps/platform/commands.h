// What the programs do besides serving: small jobs on the store that the configuration names, each
// a blocking function that prints what it did. With SQLite the program must not run meanwhile, but
// for list_instances and verify_ledger; the error says so. Only migrate_store makes a database.
#pragma once

#include <string>

#include "apps/platform/config.h"

namespace deeppool::platform {

enum class MigrateMode { apply, dry_run };

// Brings the schema up to date, a line per step. Errors: as sql::migrate.
Result<void> migrate_store(const Config& config, MigrateMode mode);

// A new password for an enabled administrator, printed once; all of the account's sessions end, and
// the audit log gets a row. not_found if there is no such administrator.
Result<void> reset_admin_password(const Config& config, const std::string& username);

// Prints every instance that shares the database: when it was seen last, what it has leased, and
// whether its leases have lapsed.
Result<void> list_instances(const Config& config);
// Declares an instance lost whose leases have lapsed: they are available again. What its data_dir
// still holds is charged if it ever starts again. Leaves a row in the audit log. not_found;
// conflict while it may still be running.
Result<void> reclaim_leases(const Config& config, const std::string& instance);
// Proves the books and prints what it found, docs/ledger.md explains it; true: all is right.
// Changes nothing; the program may run. `journal`: a file of what callers saw complete, or empty.
Result<bool> verify_ledger(const Config& config, const std::string& journal);

}  // namespace deeppool::platform
