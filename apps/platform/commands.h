// What the programs do besides serving: small jobs on the store that the configuration names, each
// a blocking function that prints what it did. With SQLite the program must not run meanwhile; the
// error says so.
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

}  // namespace deeppool::platform
