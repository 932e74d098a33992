// Accounts and sessions from outside.
#include <gtest/gtest.h>

#include "identity/first_admin.h"
#include "identity/session_store.h"
#include "tests/api/rig.h"

namespace deeppool::api_contract {
namespace {

using identity::Role;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class Accounts : public ApiTest {
 protected:
  Reply login(const std::string& username, const std::string& password) {
    return rig().call("POST", "/api/v1/users/login", {},
                      R"({"username":")" + username + R"(","password":")" + password + "\"}");
  }
  int profile(std::string_view token) {
    return rig().call("GET", "/api/v1/users/profile", token).status;
  }
};
DEEPPOOL_EACH_DATABASE(Accounts);

TEST_P(Accounts, RegisterLogInLookLogOut) {
  const Reply made = rig().call(
      "POST", "/api/v1/users/register", {},
      R"({"username":"Ada.L","password":"correct horse 1","email":"Ada@Example.com","phone":"+44 1"})");
  ASSERT_EQ(made.status, 200) << made.raw;
  EXPECT_EQ(made.data().at("username").as_string(), "ada.l");
  EXPECT_EQ(made.data().at("email").as_string(), "ada@example.com");
  EXPECT_EQ(made.data().at("role").as_string(), "user");
  const Reply in = login("ADA.l", kPassword);
  ASSERT_EQ(in.status, 200) << in.raw;
  const std::string token(in.data().at("token").as_string());
  EXPECT_TRUE(token.starts_with("dps-"));
  EXPECT_EQ(token.size(), 47u);
  EXPECT_NE(std::string(login("ada.l", kPassword).data().at("token").as_string()), token);
  EXPECT_EQ(profile(token), 200);
  EXPECT_EQ(profile(token.substr(0, 40)), 401);
  EXPECT_EQ(rig().call("POST", "/api/v1/users/logout", token).status, 200);
  EXPECT_EQ(profile(token), 401);
}

TEST_P(Accounts, ProfileChangesOnlyWhatIsGiven) {
  const Person ada = rig().add_person("ada");
  const Reply changed = rig().call("PUT", "/api/v1/users/profile", ada.token,
                                   R"({"phone":"123","identity":"provider"})");
  ASSERT_EQ(changed.status, 200) << changed.raw;
  EXPECT_EQ(changed.data().at("phone").as_string(), "123");
  EXPECT_EQ(changed.data().at("identity").as_string(), "provider");
  EXPECT_EQ(changed.data().at("user_type").as_string(), "personal");
  const Reply bad = rig().call("PUT", "/api/v1/users/profile", ada.token, R"({"phone":"call me"})");
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(bad.param(), "phone");
}

TEST_P(Accounts, RegistrationRefusesAndSaysWhy) {
  rig().add_person("taken");
  const struct {
    const char* body;
    int status;
    const char* param;
  } cases[] = {
      {R"({"password":"long enough 1"})", 400, "username"},
      {R"({"username":"a","password":"long enough 1"})", 400, "username"},
      {R"({"username":"a b","password":"long enough 1"})", 400, "username"},
      {R"({"username":"-ab","password":"long enough 1"})", 400, "username"},
      {R"({"username":"taken","password":"long enough 1"})", 409, "username"},
      {R"({"username":"TAKEN","password":"long enough 1"})", 409, "username"},
      {R"({"username":"newone","password":"short"})", 400, "password"},
      {R"({"username":"newone12","password":"newone12"})", 400, "password"},
      {R"({"username":"newone","password":"nul\u0000inside it"})", 400, "password"},
      {R"({"username":"newone","password":"long enough 1","email":"x"})", 400, "email"},
      {R"({"username":"newone","password":"long enough 1","user_type":"vip"})", 400, "user_type"},
  };
  for (const auto& c : cases) {
    const Reply reply = rig().call("POST", "/api/v1/users/register", {}, c.body);
    EXPECT_EQ(reply.status, c.status) << c.body << reply.raw;
    EXPECT_EQ(reply.param(), c.param) << c.body << reply.raw;
  }
  const std::string long_password(73, 'x');
  EXPECT_EQ(rig()
                .call("POST", "/api/v1/users/register", {},
                      R"({"username":"newone","password":")" + long_password + "\"}")
                .param(),
            "password");
}

TEST_P(Accounts, RegistrationCanBeClosed) {
  const Person admin = rig().add_person("root", Role::admin);
  ASSERT_EQ(rig()
                .call("PUT", "/api/v1/admin/platform-config", admin.token,
                      R"({"registration_enabled":false})")
                .status,
            200);
  const Reply reply = rig().call("POST", "/api/v1/users/register", {},
                                 R"({"username":"ada","password":"long enough 1"})");
  EXPECT_EQ(reply.status, 403) << reply.raw;
}

TEST_P(Accounts, WrongPasswordAndUnknownNameLookAlike) {
  rig().add_person("ada");
  const Reply wrong = login("ada", "wrong password");
  const Reply unknown = login("nobody", "wrong password");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(wrong.raw, unknown.raw);
  auto reader = *database().read();
  const auto hash = reader.query_value<std::string>("SELECT password_hash FROM users");
  EXPECT_EQ(login("ada", *hash).status, 401);  // the stored hash is no password
}

TEST_P(Accounts, LoginsAreLimitedPerAccountAndAddress) {
  rig().add_person("ada");
  rig().add_person("bob");
  for (int i = 0; i < 10; ++i) ASSERT_EQ(login("ada", "wrong password").status, 401) << i;
  const Reply limited = login("ada", kPassword);
  EXPECT_EQ(limited.status, 429) << limited.raw;
  EXPECT_NE(limited.head.find("Retry-After: 6"), std::string::npos) << limited.head;
  EXPECT_EQ(limited.data().at("retry_after_seconds").as_int64(), 6);
  EXPECT_EQ(login("bob", kPassword).status, 200);
  rig().clock().advance(seconds(6));
  EXPECT_EQ(login("ada", kPassword).status, 200);
}

TEST_P(Accounts, SessionsEndInTimeAndAreSeen) {
  const Person ada = rig().add_person("ada");
  const auto last_seen = [&] {
    auto reader = *database().read();
    return *reader.query_value<int64_t>("SELECT last_seen_at FROM user_sessions");
  };
  const int64_t opened = last_seen();
  rig().clock().advance(seconds(59));
  EXPECT_EQ(profile(ada.token), 200);
  EXPECT_EQ(last_seen(), opened);  // not written on each request
  rig().clock().advance(seconds(1));
  EXPECT_EQ(profile(ada.token), 200);
  EXPECT_EQ(last_seen(), opened + 60'000);
  rig().clock().advance(hours(24 * 7) - minutes(1) - seconds(1));
  EXPECT_EQ(profile(ada.token), 200);
  rig().clock().advance(seconds(1));
  EXPECT_EQ(profile(ada.token), 401);
}

TEST_P(Accounts, PasswordChangeEndsAllSessions) {
  const Person ada = rig().add_person("ada");
  const std::string other = rig().new_session(ada.id);
  const std::string path = "/api/v1/users/change-password";
  const Reply wrong =
      rig().call("POST", path, ada.token,
                 R"({"old_password":"not it at all","new_password":"something new 2"})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.param(), "old_password");
  const Reply weak = rig().call("POST", path, ada.token,
                                R"({"old_password":"correct horse 1","new_password":"x"})");
  EXPECT_EQ(weak.param(), "new_password");
  EXPECT_EQ(profile(other), 200);
  const Reply done =
      rig().call("POST", path, ada.token,
                 R"({"old_password":"correct horse 1","new_password":"something new 2"})");
  ASSERT_EQ(done.status, 200) << done.raw;
  EXPECT_EQ(profile(ada.token), 401);
  EXPECT_EQ(profile(other), 401);
  EXPECT_EQ(login("ada", kPassword).status, 401);
  EXPECT_EQ(login("ada", "something new 2").status, 200);
}

TEST_P(Accounts, DisablingEndsSessionsAndKeysAtOnce) {
  const Person admin = rig().add_person("root", Role::admin);
  const Person ada = rig().add_person("ada");
  const Reply key = rig().call("POST", "/api/v1/apikeys", ada.token, R"({"name":"k"})");
  const std::string secret(key.data().at("full_key").as_string());
  ASSERT_NE(rig().keys().current()->find(secret), nullptr);
  const std::string path = "/api/v1/admin/users/" + std::to_string(ada.id.value);
  ASSERT_EQ(rig().call("PATCH", path, admin.token, R"({"enabled":false})").status, 200);
  EXPECT_EQ(profile(ada.token), 401);
  EXPECT_EQ(login("ada", kPassword).status, 403);
  EXPECT_EQ(login("ada", "wrong password").status, 401);
  EXPECT_FALSE(rig().keys().current()->find(secret)->owner_enabled);
  ASSERT_EQ(rig().call("PATCH", path, admin.token, R"({"enabled":true})").status, 200);
  EXPECT_EQ(profile(ada.token), 401);  // the old session stays ended
  EXPECT_EQ(login("ada", kPassword).status, 200);
}

TEST_P(Accounts, SessionsPerUserAreBounded) {
  const Person ada = rig().add_person("ada");
  for (int i = 0; i < 60; ++i) rig().new_session(ada.id);
  auto reader = *database().read();
  EXPECT_EQ(*reader.query_value<int64_t>("SELECT COUNT(*) FROM user_sessions"), 50);
  EXPECT_EQ(profile(ada.token), 401);
}

TEST_P(Accounts, FreshStoreHasNoDefaultPassword) {
  base::SystemRandom random;
  const identity::Surroundings in{database(), rig().clock(), random, {.log2_rounds = 4}};
  const auto first = identity::ensure_admin(in, {});
  ASSERT_TRUE(first.ok()) << first.error().message;
  ASSERT_TRUE(first->has_value());
  ASSERT_TRUE((*first)->generated_password.has_value());
  EXPECT_EQ((*first)->generated_password->size(), 20u);
  EXPECT_EQ(login("admin", *(*first)->generated_password).status, 200);
  for (const char* guess : {"admin", "123456", "password", "deeppool"}) {
    EXPECT_EQ(login("admin", guess).status, 401) << guess;
  }
  const auto again = identity::ensure_admin(in, {.password = "another one 1"});
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->has_value());
  const auto nothing_else = [](sql::Writer&, base::UserId) { return Result<void>(); };
  const auto reset = identity::reset_admin_password(in, "admin", nothing_else);
  ASSERT_TRUE(reset.ok());
  EXPECT_EQ(login("admin", *(*first)->generated_password).status, 401);
  EXPECT_EQ(login("admin", *reset).status, 200);
  rig().add_person("ada");
  EXPECT_EQ(identity::reset_admin_password(in, "ada", nothing_else).error().code,
            ErrorCode::not_found);
  EXPECT_FALSE(identity::ensure_admin(in, {.username = "x y"})->has_value());
}

}  // namespace
}  // namespace deeppool::api_contract
