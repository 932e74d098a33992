// Who may call what, generated from the route tables: a route that is added is tested.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <set>

#include "sql/transaction.h"
#include "tests/api/rig.h"

namespace deeppool::api_contract {
namespace {

using http::Access;
using identity::Role;

class AccessTest : public ApiTest {
 protected:
  Reply probe(const http::Route& route, std::string_view token) {
    return rig().call(http::to_string(route.method), filled(route.pattern, "999999"), token, "{}");
  }
};
DEEPPOOL_EACH_DATABASE(AccessTest);

TEST_P(AccessTest, EveryRouteByEveryRole) {
  const Person user = rig().add_person("ada");
  const Person admin = rig().add_person("root", Role::admin);
  const Person off = rig().add_person("off");
  ASSERT_TRUE(
      database().write()->execute("UPDATE users SET enabled = 0 WHERE id = ?", off.id).ok());
  ASSERT_GE(rig().routes().size(), 38u);
  for (const http::Route& route : rig().routes()) {
    const std::string name = std::string(http::to_string(route.method)) + " " + route.pattern;
    EXPECT_NE(route.access, Access::api_key) << name;
    EXPECT_GT(route.body_limit, 0u) << name;
    const bool open = route.access == Access::anyone;
    const bool for_admin = route.access == Access::admin;
    EXPECT_EQ(for_admin, route.pattern.starts_with("/api/v1/admin/")) << name;
    for (const std::string& stranger :
         {std::string(), std::string("dps-unknown"), std::string("dp-an-api-key"), off.token}) {
      const int status = probe(route, stranger).status;
      if (open) {
        EXPECT_NE(status, 403) << name;
      } else {
        EXPECT_EQ(status, 401) << name << " by '" << stranger << "'";
      }
    }
    const int by_user = probe(route, rig().new_session(user.id)).status;
    const int by_admin = probe(route, rig().new_session(admin.id)).status;
    if (for_admin) EXPECT_EQ(by_user, 403) << name;
    if (!for_admin && !open) EXPECT_TRUE(by_user != 401 && by_user != 403) << name << by_user;
    if (!open) EXPECT_TRUE(by_admin != 401 && by_admin != 403) << name << by_admin;
    EXPECT_LT(by_user, 500) << name;
    EXPECT_LT(by_admin, 500) << name;
  }
}

TEST_P(AccessTest, UnknownPathsAndOddOnesAreMissing) {
  for (const char* path :
       {"/api/v1/nothing", "/api/v1/admin", "/api/v1/admin/", "/api/v1//users/login",
        "/api/v1/admin%2fusers", "/api/v1/users/../admin/users", "/api/v1/apikeys/1%2fsecret"}) {
    const Reply reply = rig().call("GET", path);
    EXPECT_GE(reply.status, 400) << path;
    EXPECT_NE(reply.status, 500) << path;
    EXPECT_NE(reply.status, 200) << path;
  }
}

// Another tenant's object and a missing one cannot be told apart, on any route with an id.
TEST_P(AccessTest, AnothersObjectIsExactlyAMissingOne) {
  const Person ada = rig().add_person("ada");
  const Person bob = rig().add_person("bob");
  const Reply made = rig().call("POST", "/api/v1/apikeys", ada.token, R"({"name":"mine"})");
  ASSERT_EQ(made.status, 200) << made.raw;
  const std::string theirs = id_of(made);
  const std::string before = rig().call("GET", "/api/v1/apikeys", ada.token).raw;
  int compared = 0;
  for (const http::Route& route : rig().routes()) {
    if (route.access != Access::user || route.pattern.find('{') == std::string::npos) continue;
    const auto by_bob = [&](const std::string& id) {
      return rig().call(http::to_string(route.method), filled(route.pattern, id), bob.token,
                        R"({"name":"stolen"})");
    };
    const Reply real = by_bob(theirs);
    const Reply missing = by_bob("999999");
    EXPECT_EQ(real.status, 404) << route.pattern;
    EXPECT_EQ(real.raw, missing.raw) << route.pattern;
    EXPECT_EQ(by_bob("0").status, 404) << route.pattern;
    EXPECT_EQ(by_bob("-1").status, 404) << route.pattern;
    EXPECT_EQ(by_bob("1e3").status, 404) << route.pattern;
    EXPECT_EQ(by_bob("99999999999999999999").status, 404) << route.pattern;
    ++compared;
  }
  EXPECT_EQ(compared, 7);
  EXPECT_EQ(rig().call("GET", "/api/v1/apikeys", ada.token).raw, before);
  // In the query, too.
  const std::string usage = "/api/v1/usage/summary?key_id=";
  EXPECT_EQ(rig().call("GET", usage + theirs, bob.token).raw,
            rig().call("GET", usage + "999999", bob.token).raw);
}

struct Forbidden {
  const char* method;
  const char* path;
  const char* base;  // a body that would do, without its closing brace
  std::vector<const char*> fields;
};

// What a body must not set, by anybody: each is refused by name and nothing is stored.
TEST_P(AccessTest, FieldsThatAreNobodysToWrite) {
  const Person ada = rig().add_person("ada");
  const Person admin = rig().add_person("root", Role::admin);
  const Reply key = rig().call("POST", "/api/v1/apikeys", ada.token, R"({"name":"k"})");
  const std::string key_path = "/api/v1/apikeys/" + id_of(key);
  const std::string user_path = "/api/v1/admin/users/" + std::to_string(ada.id.value);
  const std::string billing_path = user_path + "/billing";
  const std::string adjust_path = user_path + "/wallet/adjustments";
  const std::string grant = R"({"tokens_total":1,"user_id":)" + std::to_string(ada.id.value);
  const std::vector<const char*> key_fields = {
      "id",         "user_id",  "owner",        "key_hash",   "key_prefix", "key_sealed",
      "quota_used", "full_key", "last_used_at", "created_at", "updated_at"};
  const Forbidden cases[] = {
      {"POST",
       "/api/v1/users/register",
       R"({"username":"eve","password":"long enough 1")",
       {"id", "role", "enabled", "password_hash", "created_at"}},
      {"PUT",
       "/api/v1/users/profile",
       R"({"phone":"1")",
       {"id", "username", "role", "enabled", "email", "password", "password_hash", "created_at"}},
      {"POST", "/api/v1/apikeys", R"({"name":"x")", key_fields},
      {"PATCH", key_path.c_str(), R"({"name":"x")", key_fields},
      {"PATCH",
       user_path.c_str(),
       R"({"phone":"1")",
       {"id", "username", "password", "password_hash", "created_at", "updated_at"}},
      {"POST",
       "/api/v1/admin/users",
       R"({"username":"eve","password":"long enough 1")",
       {"id", "password_hash", "created_at"}},
      {"PUT",
       billing_path.c_str(),
       R"({"allow_overdraft":true)",
       {"user_id", "posted", "leased", "balance_yuan", "available_yuan", "version"}},
      {"POST",
       adjust_path.c_str(),
       R"({"amount_yuan":1,"reason":"x","reference":"r")",
       {"id", "kind", "account", "user_id", "created_at", "actor_user_id"}},
      {"POST",
       "/api/v1/admin/token-grants",
       grant.c_str(),
       {"id", "tokens_used", "tokens_leased", "created_at", "revoked_at", "created_by"}},
      {"POST",
       "/api/v1/admin/discounts",
       R"({"discount_ppm":1)",
       {"id", "created_at", "revoked_at", "created_by"}},
      {"POST",
       "/api/v1/admin/endpoints",
       R"({"name":"e","endpoint":"https://h/v1")",
       {"id", "api_key_sealed", "created_at", "updated_at"}},
      {"POST",
       "/api/v1/admin/models",
       R"({"model_name":"m","endpoint_ids":[1])",
       {"id", "created_at", "updated_at", "owner"}},
      {"PUT",
       "/api/v1/admin/platform-config",
       R"({"registration_enabled":false)",
       {"config_version", "api_key_encryption_key"}},
  };
  const auto everything = [&] {
    std::string all;
    for (const char* path :
         {"/api/v1/admin/users", "/api/v1/admin/endpoints", "/api/v1/admin/models",
          "/api/v1/admin/platform-config", "/api/v1/admin/token-grants", "/api/v1/admin/discounts",
          billing_path.c_str()}) {
      all += rig().call("GET", path, admin.token).raw;
    }
    return all + rig().call("GET", "/api/v1/apikeys", ada.token).raw;
  };
  const std::string before = everything();
  for (const Forbidden& c : cases) {
    const bool by_admin = std::string_view(c.path).starts_with("/api/v1/admin/");
    for (const char* field : c.fields) {
      for (const char* value : {"1", "\"admin\"", "true", "null"}) {
        const Reply reply = rig().call(c.method, c.path, by_admin ? admin.token : ada.token,
                                       std::string(c.base) + ",\"" + field + "\":" + value + "}");
        EXPECT_EQ(reply.status, 400) << c.path << " " << field << ": " << reply.raw;
        EXPECT_EQ(reply.param(), field) << c.path << ": " << reply.raw;
      }
    }
  }
  EXPECT_EQ(everything(), before);
}

// Hashes, sealed texts and keys in the clear are in no answer but the two that show a key once.
TEST_P(AccessTest, NoAnswerHoldsAStoredSecret) {
  const Person admin = rig().add_person("root", Role::admin);
  const Reply endpoint = rig().call(
      "POST", "/api/v1/admin/endpoints", admin.token,
      R"({"name":"e","endpoint":"https://h/v1","api_key":"sk-canary-0123456789abcdef"})");
  ASSERT_EQ(endpoint.status, 200) << endpoint.raw;
  const Reply model = rig().call("POST", "/api/v1/admin/models", admin.token,
                                 at(R"({"model_name":"m","endpoint_ids":[@]})", id_of(endpoint)));
  ASSERT_EQ(model.status, 200) << model.raw;
  const Reply key = rig().call("POST", "/api/v1/apikeys", admin.token, R"({"name":"k"})");
  const std::string full(key.data().at("full_key").as_string());
  auto reader = *database().read();
  const auto hash = reader.query_value<std::string>("SELECT password_hash FROM users");
  ASSERT_TRUE(hash.ok());
  int looked_at = 0;
  for (const http::Route& route : rig().routes()) {
    if (route.method != http::Method::get) continue;
    const bool of_model = route.pattern.find("/models/") != std::string::npos;
    const bool of_endpoint = route.pattern.find("/endpoints/") != std::string::npos;
    const std::string id = id_of(of_model ? model : of_endpoint ? endpoint : key);
    const Reply reply = rig().call("GET", filled(route.pattern, id), admin.token);
    const std::string all = reply.head + reply.raw;
    EXPECT_EQ(all.find("canary"), std::string::npos) << route.pattern;
    EXPECT_EQ(all.find(*hash), std::string::npos) << route.pattern;
    EXPECT_EQ(all.find("$2b$"), std::string::npos) << route.pattern;
    if (!route.pattern.ends_with("/secret")) {
      EXPECT_EQ(all.find(full), std::string::npos) << route.pattern;
    }
    EXPECT_NE(reply.head.find("Cache-Control: no-store"), std::string::npos) << route.pattern;
    ++looked_at;
  }
  EXPECT_GE(looked_at, 15);
}

}  // namespace
}  // namespace deeppool::api_contract
