#include "apps/platform/commands.h"

#include <cstdio>

#include "adminapi/audit_store.h"
#include "apps/platform/store.h"
#include "base/clock.h"
#include "base/random.h"
#include "identity/first_admin.h"
#include "sql/migrator/migrator.h"

namespace deeppool::platform {
namespace {

void say(std::string_view line) {
  std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
}

// Who did it is known to the operating system only.
Result<void> record_reset(sql::Writer& tx, base::UserId user, int64_t now_ms) {
  adminapi::audit::Entry entry;
  entry.at_ms = now_ms;
  entry.actor = user;
  entry.actor_name = "(command line)";
  entry.action = "user.reset_password";
  entry.object_type = "user";
  entry.object_id = std::to_string(user.value);
  entry.detail = "{}";
  return adminapi::audit::record(tx, entry);
}

}  // namespace

Result<void> migrate_store(const Config& config, MigrateMode mode) {
  DP_TRY(const auto database, open_database(config));
  sql::MigrateOptions options;
  options.mode = mode == MigrateMode::apply ? sql::MigrateMode::apply : sql::MigrateMode::dry_run;
  options.report = say;
  DP_TRY(const sql::MigrateOutcome outcome, sql::migrate(*database, options));
  if (outcome.steps_done == 0) say("the schema is up to date");
  return {};
}

Result<void> reset_admin_password(const Config& config, const std::string& username) {
  DP_TRY(const auto database, open_database(config));
  DP_CHECK(sql::migrate(*database));
  const base::SystemClock clock;
  base::SystemRandom random;
  const auto audit = [&clock](sql::Writer& tx, base::UserId user) {
    return record_reset(tx, user, base::unix_ms(clock.wall()));
  };
  DP_TRY(const std::string password,
         identity::reset_admin_password({*database, clock, random}, username, audit));
  std::printf("username: %s\npassword: %s\nAll sessions of this account have ended.\n",
              username.c_str(), password.c_str());
  return {};
}

}  // namespace deeppool::platform
