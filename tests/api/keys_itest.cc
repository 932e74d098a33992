// API keys from outside.
#include <gtest/gtest.h>

#include "identity/limits.h"
#include "tests/api/rig.h"

namespace deeppool::api_contract {
namespace {

using identity::Role;
constexpr const char* kKeys = "/api/v1/apikeys";

class Keys : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    if (IsSkipped()) return;
    admin_ = rig().add_person("root", Role::admin);
    ada_ = rig().add_person("ada");
    const Reply endpoint = rig().call("POST", "/api/v1/admin/endpoints", admin_.token,
                                      R"({"name":"e","endpoint":"https://h/v1"})");
    ASSERT_EQ(endpoint.status, 200) << endpoint.raw;
    for (const char* name : {"model-a", "model-b"}) {
      ASSERT_EQ(rig()
                    .call("POST", "/api/v1/admin/models", admin_.token,
                          at(R"({"endpoint_ids":[@],"pricing_tiers":[],"model_name":")",
                             id_of(endpoint)) +
                              name + "\"}")
                    .status,
                200);
    }
  }
  Reply create(const std::string& body) { return rig().call("POST", kKeys, ada_.token, body); }
  Person admin_, ada_;
};
DEEPPOOL_EACH_DATABASE(Keys);

TEST_P(Keys, LiveFromCreationToDeletion) {
  const Reply made = create(
      R"({"name":"laptop","rate_limit_rpm":60,"max_inflight":4,"quota_total":1000,"allowed_models":["model-b","model-a"]})");
  ASSERT_EQ(made.status, 200) << made.raw;
  const std::string secret(made.data().at("full_key").as_string());
  EXPECT_EQ(secret.size(), 46u);
  EXPECT_EQ(made.data().at("key_prefix").as_string(), secret.substr(0, 10));
  EXPECT_EQ(made.data().at("rate_limit_tpm").as_int64(), 0);
  EXPECT_TRUE(made.data().at("expires_at").is_null());
  const auto key = [&] { return rig().keys().current()->find(secret); };
  ASSERT_NE(key(), nullptr);  // in force when the answer comes
  EXPECT_EQ(key()->rate_limit_rpm, 60);
  EXPECT_EQ(key()->max_inflight, 4);
  EXPECT_TRUE(key()->may_use("model-a"));

  const std::string path = std::string(kKeys) + "/" + id_of(made);
  EXPECT_EQ(rig().call("GET", path + "/secret", ada_.token).data().at("full_key").as_string(),
            secret);
  const Reply changed = rig().call("PATCH", path, ada_.token, R"({"enabled":false})");
  ASSERT_EQ(changed.status, 200) << changed.raw;
  EXPECT_EQ(changed.data().at("name").as_string(), "laptop");  // the rest stays
  EXPECT_EQ(changed.data().at("rate_limit_rpm").as_int64(), 60);
  EXPECT_FALSE(key()->enabled);
  ASSERT_EQ(rig().call("DELETE", path, ada_.token).status, 200);
  EXPECT_EQ(key(), nullptr);
  EXPECT_EQ(rig().call("GET", path + "/secret", ada_.token).status, 404);
}

TEST_P(Keys, BadFieldsAreNamedAndNothingIsStored) {
  const struct {
    const char* body;
    const char* param;
  } cases[] = {
      {"{}", "name"},
      {R"({"name":""})", "name"},
      {R"({"name":"k","rate_limit_rpm":-1})", "rate_limit_rpm"},
      {R"({"name":"k","rate_limit_tpm":1.5})", "rate_limit_tpm"},
      {R"({"name":"k","max_inflight":-1})", "max_inflight"},
      {R"({"name":"k","quota_total":-2})", "quota_total"},
      {R"({"name":"k","quota_total":18446744073686646784})", "quota_total"},
      {R"({"name":"k","allowed_models":["no-such-model"]})", "allowed_models"},
      {R"({"name":"k","allowed_models":["model-a","model-a"]})", "allowed_models[1]"},
      {R"({"name":"k","expires_at":1})", "expires_at"},
      {R"({"name":"k","expires_at":"tomorrow"})", "expires_at"},
      {R"({"name":"k","enabled":"yes"})", "enabled"},
  };
  for (const auto& c : cases) {
    const Reply reply = create(c.body);
    EXPECT_EQ(reply.status, 400) << c.body << reply.raw;
    EXPECT_EQ(reply.param(), c.param) << c.body << reply.raw;
  }
  EXPECT_EQ(rig().call("GET", kKeys, ada_.token).data().at("total").as_int64(), 0);
}

TEST_P(Keys, ExpiryCanBeSetAndTakenBack) {
  const Reply made = create(R"({"name":"k","expires_at":99999999999999})");
  ASSERT_EQ(made.status, 200) << made.raw;
  const std::string path = std::string(kKeys) + "/" + id_of(made);
  const Reply kept = rig().call("PATCH", path, ada_.token, R"({"name":"n"})");
  EXPECT_EQ(kept.data().at("expires_at").as_int64(), 99'999'999'999'999);
  const Reply never = rig().call("PATCH", path, ada_.token, R"({"expires_at":null})");
  EXPECT_TRUE(never.data().at("expires_at").is_null());
}

TEST_P(Keys, NewKeysTakeThePlatformsDefaults) {
  ASSERT_EQ(rig()
                .call("PUT", "/api/v1/admin/platform-config", admin_.token,
                      R"({"default_rate_limit_rpm":7,"default_quota_total":500})")
                .status,
            200);
  const Reply made = create(R"({"name":"k","quota_total":-1})");
  EXPECT_EQ(made.data().at("rate_limit_rpm").as_int64(), 7);
  EXPECT_EQ(made.data().at("quota_total").as_int64(), -1);
}

TEST_P(Keys, ListsArePagedAndSearched) {
  for (int i = 0; i < 5; ++i) create(R"({"name":"key 10)" + std::to_string(i) + "%\"}");
  const Reply page = rig().call("GET", "/api/v1/apikeys?page=2&page_size=2", ada_.token);
  EXPECT_EQ(page.data().at("total").as_int64(), 5);
  EXPECT_EQ(page.data().at("items").as_array().size(), 2u);
  EXPECT_EQ(page.data().at("items").at(0).at("name").as_string(), "key 102%");
  const auto total = [&](const std::string& keyword) {
    return rig()
        .call("GET", "/api/v1/apikeys?keyword=" + keyword, ada_.token)
        .data()
        .at("total")
        .as_int64();
  };
  EXPECT_EQ(total("103%25"), 1);
  EXPECT_EQ(total("%25%25%25%25"), 0);
  EXPECT_EQ(total("KEY+1"), 5);
  for (const char* query : {"page=0", "page=x", "page_size=101", "page_size=0", "page=99999999999",
                            "keyword=%ff", "keyword=%00", "page=%zz"}) {
    EXPECT_EQ(rig().call("GET", std::string("/api/v1/apikeys?") + query, ada_.token).status, 400)
        << query;
  }
}

TEST_P(Keys, ChangesAreLimited) {
  int refused = 0;
  for (int i = 0; i < 70; ++i) {
    const int status = create(R"({"name":"k"})").status;
    refused += status == 429 ? 1 : 0;
  }
  EXPECT_EQ(refused, 10);
}

TEST_P(Keys, PublicModelsNeedNoLogin) {
  const Reply all = rig().call("GET", "/api/v1/public/models");
  ASSERT_EQ(all.status, 200) << all.raw;
  EXPECT_EQ(all.data().at("total").as_int64(), 2);
  EXPECT_EQ(all.data().at("items").at(0).at("model_name").as_string(), "model-a");
  EXPECT_EQ(all.data().at("items").at(0).at("provider_type").as_string(), "openai");
  EXPECT_EQ(all.raw.find("https://h"), std::string::npos);  // nothing of the upstream
  EXPECT_EQ(rig().call("GET", "/api/v1/public/models?keyword=L-B").data().at("total").as_int64(),
            1);
}

}  // namespace
}  // namespace deeppool::api_contract
