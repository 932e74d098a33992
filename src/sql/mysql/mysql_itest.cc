// What only a server can do to us: dropped connections, TLS, wrong passwords.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "base/text.h"
#include "sql/migrator/schema.h"
#include "sql/mysql/mysql_database.h"
#include "sql/transaction.h"
#include "testing/databases.h"

namespace deeppool::sql {
namespace {

using ::testing::HasSubstr;

class MysqlFaults : public testing::DatabaseTest {
 protected:
  MysqlFaults() = default;
  // Ends a session's connection on the server's side.
  void kill(Writer& killer, Connection& victim) {
    const auto id = read_text(victim, "SELECT CONNECTION_ID()");
    ASSERT_TRUE(id.ok());
    const auto killed = killer.connection().run_plain("KILL " + (*id)[0][0]);
    ASSERT_TRUE(killed.ok()) << killed.error().detail;
    // KILL returns before the victim is gone.
    while (!read_text(killer.connection(),
                      "SELECT 1 FROM information_schema.processlist WHERE id = ?", {(*id)[0][0]})
                ->empty()) {
      std::this_thread::yield();
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Engine, MysqlFaults,
                         ::testing::Values(testing::DatabaseKind::mariadb,
                                           testing::DatabaseKind::mysql),
                         testing::database_name);

constexpr Sql<0> kReadVersion("SELECT version FROM config_version WHERE id = 1");
constexpr Sql<0> kBumpVersion("UPDATE config_version SET version = version + 1");

TEST_P(MysqlFaults, LostReadIsRepeatedOnANewConnection) {
  Writer killer = *database().write();
  Writer w = *database().write();
  ASSERT_EQ(*w.query_value<int64_t>(kReadVersion), 1);  // prepared, so it must be prepared again
  kill(killer, w.connection());
  const auto again = w.query_value<int64_t>(kReadVersion);
  ASSERT_TRUE(again.ok()) << again.error().detail;
  EXPECT_EQ(*again, 1);
}

TEST_P(MysqlFaults, LostWriteIsUnavailableAndNeverRepeated) {
  Writer killer = *database().write();
  {
    Writer w = *database().write();
    ASSERT_TRUE(w.execute(kBumpVersion).ok());
    kill(killer, w.connection());
    const auto lost = w.execute(kBumpVersion);
    ASSERT_FALSE(lost.ok());
    EXPECT_EQ(lost.error().code, ErrorCode::unavailable);
  }
  EXPECT_EQ(database().writers_in_use(), 1u);  // the dead one was dropped
  EXPECT_TRUE(database().write()->execute(kBumpVersion).ok());
  EXPECT_EQ(*killer.query_value<int64_t>(kReadVersion), 3);
}

TEST_P(MysqlFaults, LostTransactionIsNotContinuedOnAnotherConnection) {
  Writer killer = *database().write();
  int runs = 0;
  const auto done = run_transaction(database(), [&](Writer& tx) -> Result<void> {
    ++runs;
    DP_CHECK(tx.execute(kBumpVersion));
    kill(killer, tx.connection());
    DP_CHECK(tx.query_value<int64_t>(kReadVersion));
    return {};
  });
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::unavailable);
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(*killer.query_value<int64_t>(kReadVersion), 1);
}

TEST_P(MysqlFaults, IdleConnectionThatTheServerDroppedIsReplaced) {
  Writer killer = *database().write();
  {
    Writer w = *database().write();
    kill(killer, w.connection());
  }
  std::this_thread::sleep_for(kPingAfterIdle + std::chrono::milliseconds(50));
  EXPECT_TRUE(database().write()->execute(kBumpVersion).ok());
}

TEST_P(MysqlFaults, TooLongTextIsTheCallersFault) {
  const auto done = database().write()->execute(
      "INSERT INTO platform_config (name, value, updated_at) VALUES (?, '', 0)",
      std::string(129, 'x'));
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::invalid_request);
  EXPECT_EQ(done.error().param, "name");
}

TEST_P(MysqlFaults, SettingsOfASession) {
  Reader r = *database().read();
  std::string mode;
  Writer w = *database().write();
  const auto rows = read_text(
      w.connection(), "SELECT @@sql_mode, @@character_set_connection, @@time_zone, @@autocommit");
  ASSERT_TRUE(rows.ok());
  EXPECT_THAT((*rows)[0][0], HasSubstr("STRICT_ALL_TABLES"));
  EXPECT_THAT((*rows)[0][0], HasSubstr("NO_BACKSLASH_ESCAPES"));
  EXPECT_EQ((*rows)[0][1], "utf8mb4");
  EXPECT_EQ((*rows)[0][2], "+00:00");
  EXPECT_EQ((*rows)[0][3], "1");
}

TEST(MysqlConnect, UnreachableServerIsUnavailable) {
  MysqlOptions options;
  options.port = 1;
  const auto refused = open_mysql(options);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("127.0.0.1:1"));
}

class MysqlTls : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* server = std::getenv("DEEPPOOL_TEST_MARIADB_TLS");
    if (server == nullptr) GTEST_SKIP() << "DEEPPOOL_TEST_MARIADB_TLS names no server";
    const auto parts = base::split(server, ':');  // HOST:PORT:USER:CA_FILE
    options_.host = parts[0];
    options_.port = *base::parse_int<uint16_t>(parts[1]);
    options_.user = parts[2];
    options_.database = "";
    ca_file_ = parts[3];
  }
  // The connection's cipher, empty if it is plain; or the error.
  Result<std::string> cipher() {
    DP_TRY(const auto database, open_mysql(options_));
    DP_TRY(auto writer, database->write());
    DP_TRY(const auto rows,
           read_text(writer.connection(), "SHOW SESSION STATUS LIKE 'Ssl_cipher'"));
    return rows[0][1];
  }
  MysqlOptions options_;
  std::string ca_file_;
};

TEST_F(MysqlTls, OffIsPlain) {
  options_.tls = TlsPolicy::off;
  EXPECT_EQ(*cipher(), "");
}

TEST_F(MysqlTls, PreferredIsEncrypted) {
  options_.tls = TlsPolicy::preferred;
  EXPECT_NE(*cipher(), "");
}

TEST_F(MysqlTls, RequiredVerifiesAgainstTheGivenAuthority) {
  options_.tls = TlsPolicy::required;
  options_.ca_file = ca_file_;
  const auto used = cipher();
  ASSERT_TRUE(used.ok()) << used.error().message << used.error().detail;
  EXPECT_NE(*used, "");
}

TEST_F(MysqlTls, RequiredRefusesAnUnknownAuthority) {
  options_.tls = TlsPolicy::required;
  const auto used = cipher();  // the system's store does not know the test authority
  ASSERT_FALSE(used.ok());
  EXPECT_EQ(used.error().code, ErrorCode::unavailable);
}

TEST_F(MysqlTls, RequiredRefusesAnotherHostName) {
  options_.tls = TlsPolicy::required;
  options_.ca_file = ca_file_;
  options_.host = "localhost";  // the certificate is for 127.0.0.1
  EXPECT_FALSE(cipher().ok());
}

}  // namespace
}  // namespace deeppool::sql
