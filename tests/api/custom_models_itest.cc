// Users' own models, policies while they are typed, and what routing would do.
#include <gtest/gtest.h>

#include "tests/api/rig.h"

namespace deeppool::api_contract {
namespace {

using identity::Role;
constexpr const char* kCustom = "/api/v1/custom-models";

class CustomModels : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    if (IsSkipped()) return;
    admin_ = rig().add_person("root", Role::admin).token;
    ada_ = rig().add_person("ada");
    bob_ = rig().add_person("bob");
    const std::string e = id_of(rig().call("POST", "/api/v1/admin/endpoints", admin_,
                                           R"({"name":"e","endpoint":"https://h/v1"})"));
    for (const char* name : {"a", "b"}) {
      const std::string body = at(
          R"({"model_name":")" + std::string(name) + R"(","endpoint_ids":[@],"pricing_tiers":[]})",
          e);
      ASSERT_EQ(rig().call("POST", "/api/v1/admin/models", admin_, body).status, 200);
    }
  }
  Reply by(const Person& who, const char* method, const std::string& path,
           const std::string& body = {}) {
    rig().clock().advance(std::chrono::minutes(10));  // changes are limited per minute
    return rig().call(method, path, who.token, body);
  }
  std::string called(const Person& who, const std::string& name) {
    return "u" + std::to_string(who.id.value) + "-" + name;
  }
  const provider::Model* find(const std::string& name, base::UserId caller) {
    kept_ = rig().router().current();
    return kept_->catalog()->find(name, caller);
  }

  std::string admin_;
  Person ada_, bob_;
  std::shared_ptr<const routing::Routes> kept_;
};
DEEPPOOL_EACH_DATABASE(CustomModels);

TEST_P(CustomModels, AHybridIsItsOwnersAlone) {
  const Reply made = by(ada_, "POST", kCustom, R"({"name":"fast","child_models":["a","b"],
      "routing_policy":"load_balance: round-robin"})");
  ASSERT_EQ(made.status, 200) << made.raw;
  const std::string name = called(ada_, "fast");
  EXPECT_EQ(made.data().at("model_name").as_string(), name);
  const provider::Model* model = find(name, ada_.id);
  ASSERT_NE(model, nullptr);
  EXPECT_EQ(model->children.at(1).model->name, "b");
  EXPECT_EQ(kept_->hybrid(*model)->policy.load_balance, routing::LoadBalance::round_robin);
  EXPECT_EQ(find(name, bob_.id), nullptr);
  EXPECT_EQ(find(name, {}), nullptr);
  EXPECT_EQ(kept_->catalog()->models_of(ada_.id).size(), 1u);
  EXPECT_TRUE(kept_->catalog()->models_of(bob_.id).empty());
  EXPECT_EQ(rig().call("GET", "/api/v1/public/models").raw.find("fast"), std::string::npos);
  // Its owner's keys may name it, others' may not.
  const std::string key = R"({"name":"k","allowed_models":[")" + name + "\"]}";
  EXPECT_EQ(by(ada_, "POST", "/api/v1/apikeys", key).status, 200);
  EXPECT_EQ(by(bob_, "POST", "/api/v1/apikeys", key).param(), "allowed_models");
  // To anybody else it is as a missing one.
  const std::string path = std::string(kCustom) + "/" + id_of(made);
  for (const char* method : {"PUT", "DELETE"}) {
    const Reply theirs = by(bob_, method, path, R"({"name":"x","child_models":["a","b"]})");
    const Reply missing = by(bob_, method, std::string(kCustom) + "/999999",
                             R"({"name":"x","child_models":["a","b"]})");
    EXPECT_EQ(theirs.status, 404);
    EXPECT_EQ(theirs.raw, missing.raw);
  }
  EXPECT_EQ(by(bob_, "GET", kCustom).data().at("total").as_int64(), 0);
  const auto found = [&](const std::string& keyword) {
    return by(ada_, "GET", kCustom + ("?keyword=" + keyword)).data().at("total").as_int64();
  };
  EXPECT_EQ(found("FAS"), 1);
  EXPECT_EQ(found("slow"), 0);
  const Reply edited = by(ada_, "PUT", path, R"({"name":"quick","child_models":["b","a"]})");
  ASSERT_EQ(edited.status, 200) << edited.raw;
  EXPECT_EQ(find(name, ada_.id), nullptr);
  ASSERT_NE(find(called(ada_, "quick"), ada_.id), nullptr);
  EXPECT_EQ(by(ada_, "GET", kCustom).data().at("items").at(0).at("child_models").at(0), "b");
  EXPECT_EQ(by(ada_, "DELETE", path).status, 200);
  EXPECT_EQ(find(called(ada_, "quick"), ada_.id), nullptr);
}

TEST_P(CustomModels, AnEndpointOfOnesOwn) {
  const Reply made = by(ada_, "POST", kCustom, R"({"name":"mine","vendor_type":"provider",
      "endpoint":"https://api.example.com/v1","api_key":"sk-canary-0123","upstream_model":"gpt"})");
  ASSERT_EQ(made.status, 200) << made.raw;
  EXPECT_EQ(made.raw.find("canary"), std::string::npos);
  EXPECT_EQ(made.data().at("has_api_key"), true);
  const std::string name = called(ada_, "mine");
  const provider::Model* model = find(name, ada_.id);
  ASSERT_NE(model, nullptr);
  EXPECT_TRUE(model->price.free());
  const provider::Endpoint& endpoint = *model->endpoints.at(0);
  EXPECT_EQ(endpoint.owner, ada_.id);
  EXPECT_EQ(endpoint.api_key, "sk-canary-0123");
  EXPECT_EQ(endpoint.upstream_model, "gpt");
  auto reader = *database().read();
  const auto sealed = reader.query_value<std::string>(
      "SELECT api_key_sealed FROM user_custom_models WHERE api_key_sealed IS NOT NULL");
  ASSERT_TRUE(sealed.ok());
  EXPECT_EQ(sealed->find("canary"), std::string::npos);
  // The key stays with its server.
  const std::string path = std::string(kCustom) + "/" + id_of(made);
  const auto replaced = [&](const std::string& url, const std::string& more = "") {
    return by(ada_, "PUT", path,
              R"({"name":"mine","vendor_type":"provider","endpoint":")" + url + "\"" + more + "}");
  };
  EXPECT_EQ(replaced("https://evil.example/v1").param(), "api_key");
  EXPECT_EQ(replaced("https://api.example.com/v2").data().at("has_api_key"), true);
  EXPECT_EQ(find(name, ada_.id)->endpoints.at(0)->api_key, "sk-canary-0123");
  EXPECT_EQ(replaced("https://new.example/v1", R"(,"api_key":"")").data().at("has_api_key"), false);
  // It may be a child of its owner's hybrids, and of nobody else's.
  const std::string hybrid = R"({"name":"mix","child_models":["a",")" + name + "\"]}";
  EXPECT_EQ(by(ada_, "POST", kCustom, hybrid).status, 200);
  EXPECT_EQ(find(called(ada_, "mix"), ada_.id)->children.at(1).name, name);
  EXPECT_EQ(by(bob_, "POST", kCustom, hybrid).param(), "child_models");
}

TEST_P(CustomModels, BadOnesNameTheField) {
  ASSERT_EQ(by(ada_, "POST", kCustom, R"({"name":"taken","child_models":["a","b"]})").status, 200);
  const struct {
    std::string body;
    const char* param;
  } cases[] = {
      {R"("child_models":["a","b"])", "name"},
      {R"("name":"x","child_models":["a","b"])", "name"},
      {R"("name":"with space","child_models":["a","b"])", "name"},
      {R"("name":")" + std::string(33, 'x') + R"(","child_models":["a","b"])", "name"},
      {R"("name":"taken","child_models":["a","b"])", "name"},
      {R"("name":"xx")", "child_models"},
      {R"("name":"xx","child_models":["a"])", "child_models"},
      {R"("name":"xx","child_models":["a","nobody"])", "child_models"},
      {R"("name":"xx","child_models":["a",")" + called(ada_, "taken") + "\"]", "child_models"},
      {R"("name":"xx","child_models":["a","b"],"routing_policy":"speed: 1")", "routing_policy"},
      {R"("name":"xx","child_models":["a","b"],"endpoint":"https://h/v1")", "endpoint"},
      {R"("name":"xx","vendor_type":"deepnode")", "vendor_type"},
      {R"("name":"xx","vendor_type":"provider")", "endpoint"},
      {R"("name":"xx","vendor_type":"provider","endpoint":"http://api.example.com")", "endpoint"},
      {R"("name":"xx","vendor_type":"provider","endpoint":"https://127.0.0.1/v1")", "endpoint"},
      {R"("name":"xx","vendor_type":"provider","endpoint":"https://10.0.0.1/v1")", "endpoint"},
      {R"("name":"xx","vendor_type":"provider","endpoint":"https://[::1]/v1")", "endpoint"},
      {R"("name":"xx","vendor_type":"provider","endpoint":"https://localhost/v1")", "endpoint"},
      {R"("name":"xx","vendor_type":"provider","endpoint":"https://h/v1","child_models":["a"])",
       "child_models"},
      {R"("name":"xx","vendor_type":"provider","endpoint":"https://h/v1","provider_type":"x")",
       "provider_type"},
      {R"("name":"xx","vendor_type":"provider","endpoint":"https://h/v1","api_key":"a b")",
       "api_key"},
      {R"("name":"xx","child_models":["a","b"],"owner":1)", "owner"},
  };
  for (const auto& c : cases) {
    const Reply reply = by(ada_, "POST", kCustom, "{" + c.body + "}");
    EXPECT_TRUE(reply.status == 400 || reply.status == 409) << c.body << reply.raw;
    EXPECT_EQ(reply.param(), c.param) << c.body << reply.raw;
  }
  EXPECT_EQ(by(ada_, "GET", kCustom).data().at("total").as_int64(), 1);
  // Administrators' models stay out of the users' names.
  EXPECT_EQ(rig()
                .call("POST", "/api/v1/admin/models", admin_,
                      R"({"model_name":"u1-x","vendor_type":"hybrid","child_models":["a","b"]})")
                .param(),
            "model_name");
}

TEST_P(CustomModels, TenOfEachKind) {
  const auto add = [&](const std::string& name) {
    return by(ada_, "POST", kCustom, R"({"name":")" + name + R"(","child_models":["a","b"]})");
  };
  for (int i = 0; i < 10; ++i) ASSERT_EQ(add("m" + std::to_string(i)).status, 200) << i;
  EXPECT_EQ(add("eleven").status, 409);
  EXPECT_EQ(by(ada_, "POST", kCustom,
               R"({"name":"mine","vendor_type":"provider","endpoint":"https://h.example/v1"})")
                .status,
            200);
  EXPECT_EQ(by(bob_, "POST", kCustom, R"({"name":"m0","child_models":["a","b"]})").status, 200);
}

TEST_P(CustomModels, FaultsOfAPolicyAreAnAnswer) {
  const auto check = [&](const std::string& body) {
    return by(ada_, "POST", std::string(kCustom) + "/validate-policy", body);
  };
  const Reply bad = check(R"({"child_models":["a"],"routing_policy":
      "load_balance: best\nrules:\n  - name: x\n    targets: [z]\n"})");
  ASSERT_EQ(bad.status, 200) << bad.raw;
  EXPECT_EQ(bad.data().at("valid"), false);
  ASSERT_EQ(bad.data().at("faults").as_array().size(), 2u);
  EXPECT_EQ(bad.data().at("faults").at(0).at("line").as_int64(), 1);
  EXPECT_EQ(bad.data().at("faults").at(1).at("line").as_int64(), 4);
  EXPECT_EQ(check(R"({"routing_policy":"default_targets: [anything]"})").data().at("valid"), true);
  EXPECT_EQ(check("{}").param(), "routing_policy");
}

TEST_P(CustomModels, ExplainShowsThePlanAndSendsNothing) {
  ASSERT_EQ(by(ada_, "POST", kCustom, R"({"name":"auto","child_models":["a","b"],"routing_policy":
      "rules:\n  - name: tools\n    condition: {has_tools: true}\n    targets: [b]\n"})")
                .status,
            200);
  const std::string body = R"({"model":")" + called(ada_, "auto") +
                           R"(","messages":[{"role":"user","content":"hello"}],
      "tools":[{"type":"function","function":{"name":"f"}}]})";
  const Reply plan = by(ada_, "POST", "/api/v1/routing/explain", body);
  ASSERT_EQ(plan.status, 200) << plan.raw;
  EXPECT_EQ(plan.data().at("rule"), "tools");
  EXPECT_EQ(plan.data().at("policy").at("source"), "own");
  EXPECT_EQ(plan.data().at("features").at("tool_count").as_int64(), 1);
  ASSERT_EQ(plan.data().at("candidates").as_array().size(), 2u);
  EXPECT_EQ(plan.data().at("candidates").at(0).at("model"), "b");
  EXPECT_NE(plan.raw.find("target of the rule `tools`"), std::string::npos) << plan.raw;
  EXPECT_FALSE(plan.data().at("candidates").at(0).as_object().contains("endpoint"));
  // Another's model is a missing one; `model` in the query comes first; a plain model has a plan
  // too.
  EXPECT_EQ(by(bob_, "POST", "/api/v1/routing/explain", body).param(), "model");
  const Reply plain = by(bob_, "POST", "/api/v1/routing/explain?model=a", body);
  ASSERT_EQ(plain.status, 200) << plain.raw;
  EXPECT_TRUE(plain.data().at("policy").is_null());
  EXPECT_EQ(plain.data().at("candidates").as_array().size(), 1u);
  EXPECT_EQ(by(ada_, "POST", "/api/v1/routing/explain", "{}").status, 400);
}

}  // namespace
}  // namespace deeppool::api_contract
