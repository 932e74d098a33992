// The programs' small commands on a real store.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "adminapi/audit_store.h"
#include "apps/platform/commands.h"
#include "apps/platform/store.h"
#include "base/clock.h"
#include "base/random.h"
#include "identity/first_admin.h"
#include "identity/session_store.h"
#include "identity/user_store.h"
#include "sql/transaction.h"

namespace deeppool::platform {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kOldPassword = "an-old-password";
constexpr const char* kToken = "dps-session";

class CommandsTest : public ::testing::Test {
 protected:
  CommandsTest() {
    std::string folder = ::testing::TempDir() + "deeppool_commands_XXXXXX";
    config_.data_dir = mkdtemp(folder.data());
  }
  ~CommandsTest() override { std::filesystem::remove_all(config_.data_dir); }

  // A store with an administrator who is logged in.
  void fill() {
    const auto database = *open_database(config_);
    ASSERT_TRUE(identity::ensure_admin(
        {*database, clock_, random_, {4}},
        {.username = "admin", .password = kOldPassword, .phone = "", .email = ""}));
    const auto opened = sql::run_transaction(*database, [&](sql::Writer& tx) {
      return identity::sessions::open(tx, {base::UserId{1}, kToken, "", "", now()});
    });
    ASSERT_TRUE(opened);
  }
  int64_t now() const { return base::unix_ms(clock_.wall()); }

  base::SystemClock clock_;
  base::SystemRandom random_;
  Config config_;
};

TEST_F(CommandsTest, ResetGivesANewPasswordEndsSessionsAndLeavesARow) {
  ASSERT_TRUE(migrate_store(config_, MigrateMode::apply));
  fill();
  ::testing::internal::CaptureStdout();
  ASSERT_TRUE(reset_admin_password(config_, "admin"));
  const std::string said = ::testing::internal::GetCapturedStdout();
  const size_t at = said.find("password: ") + 10;
  const std::string password = said.substr(at, said.find('\n', at) - at);

  const auto database = *open_database(config_);
  auto reader = *database->read();
  const auto account = **identity::users::find_credentials(reader, "admin");
  EXPECT_TRUE(crypto::verify_password(password, account.password_hash));
  EXPECT_FALSE(crypto::verify_password(kOldPassword, account.password_hash));
  EXPECT_FALSE(*identity::sessions::find(reader, kToken, now()));
  adminapi::audit::Search wanted;
  wanted.action = "user.reset_password";
  wanted.to_ms = now() + 1;
  const auto rows = *adminapi::audit::search(reader, wanted);
  ASSERT_EQ(rows.total, 1);
  EXPECT_EQ(rows.entries[0].object_id, "1");
  EXPECT_THAT(rows.entries[0].detail, Not(HasSubstr(password)));
}

TEST_F(CommandsTest, ResetRefusesWhoIsNoAdministrator) {
  ASSERT_TRUE(migrate_store(config_, MigrateMode::apply));
  fill();
  const auto refused = reset_admin_password(config_, "somebody");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::not_found);
}

TEST_F(CommandsTest, CommandsOnAStoreDoNotMakeOne) {
  config_.data_dir += "/mistyped";
  const auto dry_run = migrate_store(config_, MigrateMode::dry_run);
  const auto reset = reset_admin_password(config_, "admin");
  const auto reclaimed = reclaim_leases(config_, "gone");
  const auto listed = list_instances(config_);
  for (const auto* refused : {&dry_run, &reset, &reclaimed, &listed}) {
    ASSERT_FALSE(*refused);
    EXPECT_EQ(refused->error().code, ErrorCode::unavailable);
    EXPECT_THAT(refused->error().message, HasSubstr(config_.data_dir));
  }
  EXPECT_FALSE(std::filesystem::exists(config_.data_dir));
  config_.data_dir = std::filesystem::path(config_.data_dir).parent_path();
}

TEST_F(CommandsTest, ADryRunChangesNothing) {
  ASSERT_TRUE(open_database(config_));
  ::testing::internal::CaptureStdout();
  ASSERT_TRUE(migrate_store(config_, MigrateMode::dry_run));
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("would run migration 001"));
  const auto database = *open_database(config_);
  auto reader = *database->read();
  EXPECT_FALSE(reader.query_value<int64_t>("SELECT COUNT(*) FROM users"));
}

TEST_F(CommandsTest, ARunningProgramKeepsItsStore) {
  const auto running = *open_database(config_);
  const auto refused = migrate_store(config_, MigrateMode::apply);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("uses the data directory"));
}

TEST_F(CommandsTest, LostInstancesAreListedAndReclaimed) {
  ASSERT_TRUE(migrate_store(config_, MigrateMode::apply));
  const auto reclaim = [&] { return reclaim_leases(config_, "gone"); };
  EXPECT_EQ(reclaim().error().code, ErrorCode::not_found);
  const auto seen = [&](int64_t ago_ms) {
    const auto database = *open_database(config_);
    ASSERT_TRUE(database->write()->execute(
        "INSERT INTO instances (instance, host, started_at, seen_at) VALUES ('gone', 'h', 0, ?)"
        " {upsert instance} seen_at = {new seen_at}",
        now() - ago_ms));
  };
  seen(0);
  EXPECT_EQ(reclaim().error().code, ErrorCode::conflict);
  seen(3'600'000);
  ::testing::internal::CaptureStdout();
  EXPECT_TRUE(list_instances(config_));
  EXPECT_TRUE(reclaim());
  EXPECT_THAT(::testing::internal::GetCapturedStdout(),
              ::testing::AllOf(HasSubstr("gone  h  seen 3600 s ago  0 leases  lapsed"),
                               HasSubstr("0 leases are available again.")));
  const auto database = *open_database(config_);
  auto reader = database->read();
  EXPECT_EQ(*reader->query_value<int64_t>(
                "SELECT COUNT(*) FROM audit_log WHERE action = 'instance.reclaim'"),
            1);
}

TEST_F(CommandsTest, TheLedgerIsVerifiedBesideARunningProgram) {
  ASSERT_TRUE(migrate_store(config_, MigrateMode::apply));
  const auto running = *open_database(config_);
  const auto verified = [&](const std::string& journal) {
    ::testing::internal::CaptureStdout();
    const auto right = verify_ledger(config_, journal);
    EXPECT_TRUE(right) << right.error().message << right.error().detail;
    return std::pair(right && *right, ::testing::internal::GetCapturedStdout());
  };
  auto [right, said] = verified("");
  EXPECT_TRUE(right);
  EXPECT_THAT(said, HasSubstr("the books are right"));
  EXPECT_THAT(said, HasSubstr(" 7 skipped"));
  ASSERT_TRUE(running->write()->execute(
      "INSERT INTO user_wallets (user_id, posted, updated_at) VALUES (1, 1, 0)"));
  std::tie(right, said) = verified("");
  EXPECT_FALSE(right);
  EXPECT_THAT(said, HasSubstr(" 3 BROKEN"));
  EXPECT_THAT(said, HasSubstr("user 1: the wallet says 0.0000000001, the entries 0"));
  const std::string journal = config_.data_dir + "/journal";
  std::ofstream(journal) << "0190b3a0-0000-7000-8000-000000000001 1 1\n";
  EXPECT_THAT(verified(journal).second, HasSubstr(" 7 BROKEN"));
}

TEST_F(CommandsTest, AStoppedProgramsLedgerIsVerifiedAndAMissingOneIsSaid) {
  EXPECT_FALSE(verify_ledger(config_, ""));  // no store
  {
    ASSERT_TRUE(open_database(config_));
  }
  const auto old = verify_ledger(config_, "");
  ASSERT_FALSE(old);
  EXPECT_THAT(old.error().message, HasSubstr("migrate"));
  ASSERT_TRUE(migrate_store(config_, MigrateMode::apply));
  ::testing::internal::CaptureStdout();
  EXPECT_TRUE(*verify_ledger(config_, ""));
  ::testing::internal::GetCapturedStdout();
  EXPECT_FALSE(verify_ledger(config_, config_.data_dir + "/no-journal"));
}

}  // namespace
}  // namespace deeppool::platform
