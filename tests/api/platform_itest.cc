// Users, settings, audit log and dashboard from outside.
#include <gtest/gtest.h>

#include "tests/api/rig.h"

namespace deeppool::api_contract {
namespace {

using identity::Role;

class Platform : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    if (!IsSkipped()) admin_ = rig().add_person("root", Role::admin);
  }
  Reply on(const char* method, const std::string& path, const std::string& body = {}) {
    return rig().call(method, "/api/v1/admin/" + path, admin_.token, body);
  }
  Person admin_;
};
DEEPPOOL_EACH_DATABASE(Platform);

TEST_P(Platform, UsersAreMadeChangedAndFound) {
  const Reply made = on("POST", "users", R"({"username":"Bob","role":"admin"})");
  ASSERT_EQ(made.status, 200) << made.raw;
  const std::string password(made.data().at("generated_password").as_string());
  const auto login = [&](const std::string& with) {
    return rig().call("POST", "/api/v1/users/login", {},
                      R"({"username":"bob","password":")" + with + "\"}");
  };
  EXPECT_EQ(login(password).data().at("user").at("role").as_string(), "admin");
  const std::string path = "users/" + id_of(made);
  EXPECT_EQ(on("PATCH", path, R"({"role":"user","email":"b@x.io"})").data().at("email").as_string(),
            "b@x.io");
  const std::string token(login(password).data().at("token").as_string());
  const Reply reset = on("POST", path + "/reset-password", R"({"password":"chosen for you 1"})");
  EXPECT_EQ(reset.status, 200) << reset.raw;
  EXPECT_FALSE(reset.data().as_object().contains("generated_password"));
  EXPECT_EQ(rig().call("GET", "/api/v1/users/profile", token).status, 401);
  EXPECT_EQ(login("chosen for you 1").status, 200);
  EXPECT_EQ(on("POST", path + "/reset-password").data().at("generated_password").as_string().size(),
            20u);
  EXPECT_EQ(on("GET", "users?keyword=B@X").data().at("total").as_int64(), 1);
  EXPECT_EQ(on("GET", "users?keyword=%25").data().at("total").as_int64(), 0);
  EXPECT_EQ(on("GET", "users?role=admin").data().at("total").as_int64(), 1);
  EXPECT_EQ(on("GET", "users?enabled=false").data().at("total").as_int64(), 0);
  EXPECT_EQ(on("GET", "users?role=root").status, 400);
  EXPECT_EQ(on("GET", "users/77").status, 404);
  EXPECT_EQ(on("POST", "users", R"({"username":"weak","password":"x"})").param(), "password");
  EXPECT_EQ(on("POST", "users", R"({"username":"bob"})").param(), "username");
  EXPECT_EQ(on("PATCH", path, R"({"role":"root"})").param(), "role");
}

TEST_P(Platform, ListsAreSearchedOrRefuseToBe) {
  ASSERT_EQ(on("POST", "users", R"({"username":"zoe","email":"zoe@x.io"})").status, 200);
  ASSERT_EQ(on("PUT", "platform-config", R"({"registration_enabled":false})").status, 200);
  const struct {
    const char* keyword;
    int64_t total;
  } rows[] = {{"ROOT", 2}, {"User.Create", 1}, {"zoe@", 1}, {"registration", 1}, {"%25", 0}};
  for (const auto& row : rows) {
    EXPECT_EQ(on("GET", std::string("audit-log?keyword=") + row.keyword).data().at("total"),
              row.total)
        << row.keyword;
  }
  const std::string user = std::to_string(admin_.id.value);
  for (const std::string& list :
       {"/api/v1/admin/users/" + user + "/wallet/transactions", std::string("/api/v1/alerts"),
        std::string("/api/v1/usage/consumption"), std::string("/api/v1/usage/requests")}) {
    EXPECT_EQ(rig().call("GET", list, admin_.token).status, 200) << list;
    const Reply refused = rig().call("GET", list + "?keyword=x", admin_.token);
    EXPECT_EQ(refused.status, 400) << list;
    EXPECT_EQ(refused.param(), "keyword") << list;
  }
}

TEST_P(Platform, TheEnvelopeSaysTheStatusThatItIsSentWith) {
  for (const auto& [path, status] : {std::pair("dashboard", 405), std::pair("nothing", 404)}) {
    const Reply reply = on("DELETE", path);
    EXPECT_EQ(reply.status, status);
    EXPECT_EQ(reply.body.at("code").as_int64(), status) << reply.raw;
  }
}

TEST_P(Platform, SomebodyAlwaysHoldsTheKeys) {
  const std::string self = "users/" + std::to_string(admin_.id.value);
  EXPECT_EQ(on("PATCH", self, R"({"enabled":false})").status, 409);
  EXPECT_EQ(on("PATCH", self, R"({"role":"user"})").status, 409);
  const Person other = rig().add_person("second", Role::admin);
  EXPECT_EQ(on("PATCH", "users/" + std::to_string(other.id.value), R"({"role":"user"})").status,
            200);
}

TEST_P(Platform, SettingsAreCheckedAndSaid) {
  const Reply before = on("GET", "platform-config");
  EXPECT_EQ(before.data().at("settings").at("registration_enabled").as_bool(), true);
  EXPECT_EQ(before.data().at("known").as_array().size(),
            before.data().at("settings").as_object().size());
  const Reply changed =
      on("PUT", "platform-config", R"({"registration_enabled":false,"default_rate_limit_rpm":60})");
  ASSERT_EQ(changed.status, 200) << changed.raw;
  const Reply after = on("GET", "platform-config");
  EXPECT_EQ(after.data().at("settings").at("registration_enabled").as_bool(), false);
  EXPECT_EQ(after.data().at("settings").at("default_rate_limit_rpm").as_int64(), 60);
  const struct {
    const char* body;
    const char* param;
  } cases[] = {
      {R"({"registration_enabled":1})", "registration_enabled"},
      {R"({"default_rate_limit_rpm":-1})", "default_rate_limit_rpm"},
      {R"({"default_quota_total":-2})", "default_quota_total"},
      {R"({"default_rate_limit_rpm":5,"colour":1})", "colour"},
  };
  for (const auto& c : cases) EXPECT_EQ(on("PUT", "platform-config", c.body).param(), c.param);
  EXPECT_EQ(on("GET", "platform-config").raw, after.raw);
}

TEST_P(Platform, EveryChangeIsInTheAuditLogWithoutSecrets) {
  const auto version = [&] {
    return on("GET", "dashboard").data().at("config_version").as_int64();
  };
  const int64_t before = version();
  const std::string e =
      id_of(on("POST", "endpoints",
               R"({"name":"e","endpoint":"https://h/v1","api_key":"sk-canary-0123456789abcdef"})"));
  on("PATCH", "endpoints/" + e, R"({"weight":9,"api_key":"sk-second-canary-0123456789"})");
  const std::string m =
      id_of(on("POST", "models", at(R"({"model_name":"m","endpoint_ids":[@]})", e)));
  on("POST", "models/" + m + "/enabled", R"({"enabled":false})");
  on("DELETE", "models/" + m);
  on("DELETE", "endpoints/" + e);
  const Reply eve = on("POST", "users", R"({"username":"eve","password":"a secret canary 1"})");
  on("POST", "users/" + id_of(eve) + "/reset-password", R"({"password":"a secret canary 2"})");
  on("PUT", "platform-config", R"({"default_rate_limit_rpm":3})");
  EXPECT_EQ(version(), before + 9);
  on("POST", "models", R"({"model_name":"m","endpoint_ids":[99]})");  // refused: leaves no trace
  EXPECT_EQ(version(), before + 9);
  const Reply log = on("GET", "audit-log?page_size=50");
  EXPECT_EQ(log.data().at("total").as_int64(), 9) << log.raw;
  EXPECT_EQ(log.raw.find("canary"), std::string::npos);
  std::vector<std::string> actions;
  for (const auto& item : log.data().at("items").as_array()) {
    actions.emplace_back(item.at("action").as_string());
    EXPECT_EQ(item.at("actor_name").as_string(), "root");
    EXPECT_EQ(item.at("ip").as_string(), "127.0.0.1");
  }
  EXPECT_EQ(actions, (std::vector<std::string>{"platform_config.update", "user.reset_password",
                                               "user.create", "endpoint.delete", "model.delete",
                                               "model.update", "model.create", "endpoint.update",
                                               "endpoint.create"}));
  const Reply one = on("GET", "audit-log?action=endpoint.update");
  EXPECT_EQ(one.data().at("total").as_int64(), 1);
  EXPECT_EQ(one.data().at("items").at(0).at("detail").at("weight").at("to").as_int64(), 9);
  EXPECT_EQ(on("GET", "audit-log?actor=eve").data().at("total").as_int64(), 0);
  EXPECT_EQ(on("GET", "audit-log?object_type=model&object_id=" + m).data().at("total").as_int64(),
            3);
  EXPECT_EQ(on("GET", "audit-log?to=1").data().at("total").as_int64(), 0);
  EXPECT_EQ(on("GET", "audit-log?from=x").status, 400);
}

TEST_P(Platform, DashboardCounts) {
  rig().add_person("ada");
  const Reply board = on("GET", "dashboard");
  ASSERT_EQ(board.status, 200) << board.raw;
  EXPECT_EQ(board.data().at("users").at("total").as_int64(), 2);
  EXPECT_EQ(board.data().at("users").at("admins").as_int64(), 1);
  EXPECT_EQ(board.data().at("live").at("requests_in_flight").as_int64(), 3);
  EXPECT_EQ(board.data().at("live").at("limits").as_string(), "own");
  EXPECT_EQ(board.data().at("live").at("instances").as_int64(), 1);
  EXPECT_EQ(board.data().at("today").at("requests").as_int64(), 0);
}

}  // namespace
}  // namespace deeppool::api_contract
