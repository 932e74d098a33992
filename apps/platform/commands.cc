#include "apps/platform/commands.h"

#include <cstdio>
#include <fstream>

#include "adminapi/audit_store.h"
#include "apps/platform/store.h"
#include "base/clock.h"
#include "base/random.h"
#include "governance/funds/lease_store.h"
#include "governance/verify/verify.h"
#include "identity/first_admin.h"
#include "sql/migrator/migrator.h"
#include "sql/transaction.h"

namespace deeppool::platform {
namespace {

void say(std::string_view line) {
  std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
}

// Who did it is known to the operating system only.
adminapi::audit::Entry by_command(std::string action, std::string type, std::string id) {
  adminapi::audit::Entry entry;
  entry.at_ms = base::unix_ms(base::SystemClock().wall());
  entry.actor_name = "(command line)";
  entry.action = std::move(action);
  entry.object_type = std::move(type);
  entry.object_id = std::move(id);
  entry.detail = "{}";
  return entry;
}

Result<void> record_reset(sql::Writer& tx, base::UserId user) {
  auto entry = by_command("user.reset_password", "user", std::to_string(user.value));
  entry.actor = user;
  return adminapi::audit::record(tx, entry);
}

}  // namespace

Result<void> migrate_store(const Config& config, MigrateMode mode) {
  const bool apply = mode == MigrateMode::apply;
  DP_TRY(const auto database, apply ? open_database(config) : open_existing_database(config));
  sql::MigrateOptions options;
  options.mode = apply ? sql::MigrateMode::apply : sql::MigrateMode::dry_run;
  options.report = say;
  DP_TRY(const sql::MigrateOutcome outcome, sql::migrate(*database, options));
  if (outcome.steps_done == 0) say("the schema is up to date");
  return {};
}

Result<void> reset_admin_password(const Config& config, const std::string& username) {
  DP_TRY(const auto database, open_existing_database(config));
  DP_CHECK(sql::migrate(*database));
  const base::SystemClock clock;
  base::SystemRandom random;
  DP_TRY(const std::string password,
         identity::reset_admin_password({*database, clock, random}, username, record_reset));
  std::printf("username: %s\npassword: %s\nAll sessions of this account have ended.\n",
              username.c_str(), password.c_str());
  return {};
}

Result<void> list_instances(const Config& config) {
  DP_TRY(const auto database, inspect_database(config));
  DP_TRY(auto reader, database->read());
  DP_TRY(const auto instances, governance::list_instances(reader));
  for (const auto& each : instances) {
    const int64_t age_s = (base::unix_ms(base::SystemClock().wall()) - each.seen_at_ms) / 1000;
    std::printf("%s  %s  seen %lld s ago  %lld leases%s\n", each.instance.c_str(),
                each.host.c_str(), static_cast<long long>(age_s),
                static_cast<long long>(each.leases), each.lapsed ? "  lapsed" : "");
  }
  return {};
}

Result<void> reclaim_leases(const Config& config, const std::string& instance) {
  DP_TRY(const auto database, open_existing_database(config));
  const auto work = [&](sql::Writer& tx) -> Result<int64_t> {
    DP_TRY(const int64_t count, governance::reclaim_instance(tx, instance));
    DP_CHECK(adminapi::audit::record(tx, by_command("instance.reclaim", "instance", instance)));
    return count;
  };
  DP_TRY(const int64_t leases, sql::run_transaction(*database, work));
  std::printf("%lld leases are available again.\n", static_cast<long long>(leases));
  return {};
}

Result<bool> verify_ledger(const Config& config, const std::string& journal) {
  std::ifstream lines;
  governance::verify::Options options;
  if (!journal.empty()) {
    lines.open(journal);
    if (!lines) return Error(ErrorCode::invalid_request, "cannot read the journal " + journal);
    options.journal = &lines;
  }
  DP_TRY(const auto database, inspect_database(config));
  auto report = governance::verify::verify(*database, options);
  if (!report && report.error().code == ErrorCode::internal) {
    return Error(ErrorCode::unavailable,
                 "the database is not as this version keeps it: run `migrate` first",
                 report.error().detail);
  }
  if (!report) return std::move(report).error();
  std::fputs(report->text().c_str(), stdout);
  say(report->clean() ? "the books are right" : "THE BOOKS ARE WRONG");
  return report->clean();
}

}  // namespace deeppool::platform
