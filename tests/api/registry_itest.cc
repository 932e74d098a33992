// Models and endpoints from outside.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "tests/api/rig.h"

namespace deeppool::api_contract {
namespace {

using identity::Role;
constexpr const char* kEndpoints = "/api/v1/admin/endpoints";
constexpr const char* kModels = "/api/v1/admin/models";

class Registry : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    if (!IsSkipped()) admin_ = rig().add_person("root", Role::admin).token;
  }
  Reply post(const char* path, const std::string& body) {
    return rig().call("POST", path, admin_, body);
  }
  Reply on(const char* method, const std::string& path, const std::string& body = {}) {
    return rig().call(method, path, admin_, body);
  }
  int64_t total(const char* path) {
    return rig().call("GET", path, admin_).data().at("total").as_int64();
  }
  std::string admin_;
};
DEEPPOOL_EACH_DATABASE(Registry);

TEST_P(Registry, EndpointKeyIsWrittenOnceAndShownMasked) {
  const Reply made =
      post(kEndpoints,
           R"({"name":"openai","model_family":"gpt","endpoint":"https://api.openai.com/v1",
                              "api_key":"sk-proj-0123456789abcdef","weight":3})");
  ASSERT_EQ(made.status, 200) << made.raw;
  EXPECT_EQ(made.data().at("api_key").as_string(), "sk-********cdef");
  EXPECT_EQ(made.data().at("weight").as_int64(), 3);
  EXPECT_EQ(post(kEndpoints, R"({"name":"short","endpoint":"https://h","api_key":"abcdefgh"})")
                .data()
                .at("api_key")
                .as_string(),
            "********");
  const std::string path = std::string(kEndpoints) + "/" + id_of(made);
  const Reply replaced =
      on("PUT", path, R"({"name":"renamed","endpoint":"https://api.openai.com/v2"})");
  ASSERT_EQ(replaced.status, 200) << replaced.raw;
  EXPECT_EQ(replaced.data().at("weight").as_int64(), 1);  // unset fields take their defaults
  EXPECT_EQ(replaced.data().at("api_key").as_string(), "sk-********cdef");  // but the key stays
  EXPECT_EQ(on("PATCH", path, R"({"api_key":""})").data().at("api_key").as_string(), "");
  EXPECT_EQ(on("GET", path).data().at("name").as_string(), "renamed");
}

TEST_P(Registry, AnotherKeyIsAuditedEvenWhenItLooksTheSame) {
  const Reply made =
      post(kEndpoints, R"({"name":"e","endpoint":"https://h/v1","api_key":"sk-aaaa-0123456789"})");
  const std::string path = std::string(kEndpoints) + "/" + id_of(made);
  const auto audited = [&](const char* key) {
    EXPECT_EQ(on("PATCH", path, std::string(R"({"api_key":")") + key + "\"}").status, 200);
    const Reply log = on("GET", "/api/v1/admin/audit-log?page_size=1");
    return boost::json::serialize(log.data().at("items").as_array().at(0).at("detail"));
  };
  EXPECT_EQ(audited("sk-bbbb-0123456789"), R"({"api_key_changed":true})");
  EXPECT_EQ(audited("sk-bbbb-0123456789"), "{}");
  const std::string removed = audited("");
  EXPECT_NE(removed.find(R"("api_key_changed":true)"), std::string::npos) << removed;
  EXPECT_EQ(removed.find("bbbb"), std::string::npos) << removed;
}

TEST_P(Registry, StoredKeyDoesNotFollowAnEndpointToAnotherServer) {
  const Reply made = post(
      kEndpoints, R"({"name":"e","endpoint":"https://good.example/v1","api_key":"sk-0123456789"})");
  const std::string path = std::string(kEndpoints) + "/" + id_of(made);
  for (const char* url : {"https://evil.example/v1", "http://good.example/v1",
                          "https://good.example:444/v1", "https://good.example.evil.example/v1"}) {
    const Reply moved = on("PATCH", path, std::string(R"({"endpoint":")") + url + "\"}");
    EXPECT_EQ(moved.status, 400) << url;
    EXPECT_EQ(moved.param(), "api_key") << url;
    EXPECT_EQ(on("PUT", path, std::string(R"({"name":"e","endpoint":")") + url + "\"}").param(),
              "api_key");
  }
  EXPECT_EQ(on("GET", path).data().at("endpoint").as_string(), "https://good.example/v1");
  EXPECT_EQ(on("PATCH", path, R"({"endpoint":"https://GOOD.example/other"})").status, 200);
  EXPECT_EQ(
      on("PATCH", path, R"({"endpoint":"https://new.example/v1","api_key":"sk-new-0123456789"})")
          .status,
      200);
}

TEST_P(Registry, BadEndpointsNameTheField) {
  const struct {
    const char* body;
    int status;
    const char* param;
  } cases[] = {
      {"{}", 400, "name"},
      {R"({"name":"e"})", 400, "endpoint"},
      {R"({"name":"e","endpoint":"h/v1"})", 400, "endpoint"},
      {R"({"name":"   ","endpoint":"https://h/v1"})", 400, "name"},
      {R"({"name":"e","endpoint":"https://u:p@h/v1"})", 400, "endpoint"},
      {R"({"name":"e","endpoint":"https://h/v1","param_policy":"keep"})", 400, "param_policy"},
      {R"({"name":"e","endpoint":"https://h/v1","api_version":"a b"})", 400, "api_version"},
      {R"({"name":"e","endpoint":"https://h/v1","provider_type":"x"})", 400, "provider_type"},
      {R"({"name":"e","endpoint":"https://h/v1","weight":0})", 400, "weight"},
      {R"({"name":"e","endpoint":"https://h/v1","max_inflight":-1})", 400, "max_inflight"},
      {R"({"name":"e","endpoint":"https://h/v1","api_key":"a\r\nX-Evil: 1"})", 400, "api_key"},
      {R"({"name":"e","endpoint":"https://h/v1","enabled":1})", 400, "enabled"},
      {R"({"name":"e","endpoint":"https://h/v1","ca_file":"/etc"})", 400, "ca_file"},
      {R"({"name":"e","endpoint":"https://h/v1","ca_file":"/etc/passwd"})", 400, "ca_file"},
      {R"({"name":"e","endpoint":"https://h/v1","ca_file":"/dev/zero"})", 400, "ca_file"},
      {R"({"name":"e","endpoint":"https://h/v1","ca_file":"/no/such.pem"})", 400, "ca_file"},
      {R"({"name":"e","endpoint":"https://h/v1","url":"x"})", 400, "url"},
  };
  for (const auto& c : cases) {
    const Reply reply = post(kEndpoints, c.body);
    EXPECT_EQ(reply.status, c.status) << c.body << reply.raw;
    EXPECT_EQ(reply.param(), c.param) << c.body << reply.raw;
  }
  EXPECT_EQ(total(kEndpoints), 0);
  ASSERT_EQ(post(kEndpoints, R"({"name":"e","endpoint":"https://h/v1"})").status, 200);
  const Reply taken = post(kEndpoints, R"({"name":"e","endpoint":"https://h/v1"})");
  EXPECT_EQ(taken.status, 409);
  EXPECT_EQ(taken.param(), "name");
  EXPECT_EQ(taken.message(), "This `name` is taken; choose another.");
}

TEST_P(Registry, EveryProviderTypeIsTaken) {
  for (const char* type : {"openai", "anthropic", "gemini", "deepseek", "qwen", "kimi", "glm",
                           "ernie", "minimax", "custom"}) {
    const Reply made =
        post(kEndpoints, at(R"({"name":"@","endpoint":"https://h/v1","provider_type":"@",
                           "api_version":"2023-06-01","prefix_continuation":true,
                           "param_policy":"refuse"})",
                            type));
    ASSERT_EQ(made.status, 200) << made.raw;
    const Reply shown = on("GET", std::string(kEndpoints) + "/" + id_of(made));
    EXPECT_EQ(shown.data().at("provider_type").as_string(), type);
    EXPECT_EQ(shown.data().at("api_version").as_string(), "2023-06-01");
    EXPECT_TRUE(shown.data().at("prefix_continuation").as_bool());
    EXPECT_EQ(shown.data().at("param_policy").as_string(), "refuse");
  }
}

TEST_P(Registry, HealthIsShownAndAnEndpointReadmittedByHand) {
  const Reply made = post(kEndpoints, R"({"name":"e","endpoint":"https://h/v1"})");
  const std::string path = std::string(kEndpoints) + "/" + id_of(made);
  const auto health = [&] { return on("GET", path).data().at("health"); };
  EXPECT_EQ(health().at("state").as_string(), "healthy");
  EXPECT_TRUE(health().at("ejected_until").is_null());
  const auto catalog = rig().catalog().current();
  base::SeededRandom random(1);
  {
    auto entry = catalog->endpoints().front()->health->enter(0, rig().clock().now());
    entry.slot.failed(provider::Fault::rate_limited, std::chrono::seconds(9), rig().clock().now(),
                      random);
    const auto sick = health();
    EXPECT_EQ(sick.at("state").as_string(), "ejected");
    EXPECT_TRUE(sick.at("told_to_wait").as_bool());
    EXPECT_EQ(sick.at("ejected_until").as_int64(), base::unix_ms(rig().clock().wall()) + 9000);
    EXPECT_EQ(sick.at("consecutive_failures").as_int64(), 1);
    EXPECT_EQ(sick.at("inflight").as_int64(), 1);
    EXPECT_EQ(sick.at("last_error").as_string(), "rate_limited");
    EXPECT_EQ(sick.at("error_rate").to_number<double>(), 1.0);
  }
  const Reply listed = on("GET", kEndpoints);
  EXPECT_EQ(listed.data().at("items").at(0).at("health").at("state").as_string(), "ejected");
  const Reply readmitted = on("POST", path + "/readmit");
  ASSERT_EQ(readmitted.status, 200) << readmitted.raw;
  EXPECT_EQ(readmitted.data().at("health").at("state").as_string(), "healthy");
  const Reply log = on("GET", "/api/v1/admin/audit-log");
  EXPECT_EQ(log.data().at("items").at(0).at("action").as_string(), "endpoint.readmit");
  EXPECT_EQ(on("POST", std::string(kEndpoints) + "/999999/readmit").status, 404);
  EXPECT_EQ(on("PATCH", path, R"({"enabled":false})").status, 200);
  EXPECT_TRUE(health().is_null());
}

TEST_P(Registry, HedgingOfAModelIsKept) {
  const std::string e = id_of(post(kEndpoints, R"({"name":"e","endpoint":"https://h/v1"})"));
  const Reply made = post(kModels, at(R"({"model_name":"m","endpoint_ids":[@]})", e));
  EXPECT_EQ(made.data().at("hedge_after_ms").as_int64(), 0);
  EXPECT_EQ(made.data().at("hedge_max_percent").as_int64(), 5);
  const std::string path = std::string(kModels) + "/" + id_of(made);
  const Reply set = on("PATCH", path, R"({"hedge_after_ms":700,"hedge_max_percent":10})");
  EXPECT_EQ(set.data().at("hedge_after_ms").as_int64(), 700) << set.raw;
  EXPECT_EQ(rig().catalog().current()->find("m")->hedging.budget->percent(), 10);
  EXPECT_EQ(on("PATCH", path, R"({"hedge_max_percent":51})").param(), "hedge_max_percent");
  EXPECT_EQ(on("PATCH", path, R"({"hedge_after_ms":-1})").param(), "hedge_after_ms");
}

TEST_P(Registry, FamiliesAndUsedEndpoints) {
  const std::string a = id_of(
      post(kEndpoints, R"({"name":"a","endpoint":"https://h/v1","model_family":"qwen 3/x"})"));
  const Reply b =
      post(kEndpoints, R"({"name":"b","endpoint":"https://h/v1","model_family":"glm"})");
  EXPECT_EQ(on("GET", std::string(kEndpoints) + "/by-family/qwen%203%2Fx")
                .data()
                .at("items")
                .at(0)
                .at("name")
                .as_string(),
            "a");
  EXPECT_EQ(on("GET", std::string(kEndpoints) + "/by-family/none").data().at("total").as_int64(),
            0);
  EXPECT_EQ(on("GET", std::string(kEndpoints) + "/by-family/%ff").status, 400);
  ASSERT_EQ(post(kModels, at(R"({"model_name":"m","endpoint_ids":[@]})", id_of(b))).status, 200);
  const Reply used = on("DELETE", std::string(kEndpoints) + "/" + id_of(b));
  EXPECT_EQ(used.status, 409);
  EXPECT_NE(used.message().find("(m)"), std::string::npos) << used.raw;
  EXPECT_EQ(on("DELETE", std::string(kEndpoints) + "/" + a).status, 200);
  EXPECT_EQ(on("DELETE", std::string(kEndpoints) + "/" + a).status, 404);
}

TEST_P(Registry, ModelIsInForceWhenTheAnswerComes) {
  const std::string e = id_of(
      post(kEndpoints, R"({"name":"e","endpoint":"https://h/v1","api_key":"sk-0123456789"})"));
  const Reply made =
      post(kModels, at(R"({"model_name":"org/model:1","endpoint_ids":[@],"tags":["chat"],
                              "max_context_length":128000,"supports_vision":true})",
                       e));
  ASSERT_EQ(made.status, 200) << made.raw;
  const auto find = [&] { return rig().catalog().current()->find("org/model:1"); };
  ASSERT_NE(find(), nullptr);
  EXPECT_EQ(find()->endpoints.at(0)->api_key, "sk-0123456789");
  const std::string path = std::string(kModels) + "/" + id_of(made);
  EXPECT_EQ(on("POST", path + "/enabled", R"({"enabled":false})").status, 200);
  EXPECT_EQ(find(), nullptr);
  const Reply on_again = on("PATCH", path + "/enabled", R"({"enabled":true})");
  EXPECT_EQ(on_again.data().at("max_context_length").as_int64(), 128'000);
  EXPECT_NE(find(), nullptr);
  EXPECT_EQ(on("PATCH", path, R"({"supports_vision":false})").data().at("tags").at(0).as_string(),
            "chat");
  const Reply replaced =
      on("PUT", path, at(R"({"model_name":"org/model:1","endpoint_ids":[@]})", e));
  EXPECT_EQ(replaced.data().at("tags").as_array().size(), 0u);
  EXPECT_EQ(on("DELETE", path).status, 200);
  EXPECT_EQ(find(), nullptr);
  EXPECT_EQ(on("GET", path).status, 404);
}

TEST_P(Registry, BadModelsNameTheFieldAndLeaveNothing) {
  const std::string e = id_of(post(kEndpoints, R"({"name":"e","endpoint":"https://h/v1"})"));
  const struct {
    const char* body;
    const char* param;
    const char* says;
  } cases[] = {
      {R"({"model_name":"m"})", "endpoint_ids", "required"},
      {R"({"endpoint_ids":[@]})", "model_name", "required"},
      {R"({"model_name":"m","endpoint_ids":[]})", "endpoint_ids", "1 to"},
      {R"({"model_name":"m","endpoint_ids":[@,999]})", "endpoint_ids", "id 999"},
      {R"({"model_name":"m","endpoint_ids":["1"]})", "endpoint_ids[0]", "integer"},
      {R"({"model_name":" m","endpoint_ids":[@]})", "model_name", "letters"},
      {R"({"model_name":"m?x","endpoint_ids":[@]})", "model_name", "letters"},
      {R"({"model_name":"m","endpoint_ids":[@],"vendor_type":"hybrid"})", "endpoint_ids",
       "its children have"},
      {R"({"model_name":"m","endpoint_ids":[@],"vendor_type":"deepnode","repo_id":"x"})",
       "vendor_type", "yet"},
      {R"({"model_name":"m","endpoint_ids":[@],"vendor_type":"x"})", "vendor_type", "provider"},
      {R"({"model_name":"m","endpoint_ids":[@],"pricing_tiers":"free"})", "pricing_tiers", "list"},
      {R"({"model_name":"m","endpoint_ids":[@],"contributor_tiers":[{"output_price":1}]})",
       "contributor_tiers[0].input_price", "required"},
      {R"({"model_name":"m","endpoint_ids":[@],
           "pricing_tiers":[{"input_price":1,"output_price":1e-11}]})",
       "pricing_tiers[0].output_price", "10 decimals"},
      {R"({"model_name":"m","endpoint_ids":[@],"tags":[""]})", "tags[0]", "bytes"},
      {R"({"model_name":"m","endpoint_ids":[@],"max_output_tokens":-1})", "max_output_tokens",
       "from 0"},
      {R"({"model_name":"m","endpoint_ids":[@],"colour":"red"})", "colour", "not a field"},
  };
  for (const auto& c : cases) {
    const Reply reply = post(kModels, at(c.body, e));
    EXPECT_EQ(reply.status, 400) << c.body << reply.raw;
    EXPECT_EQ(reply.param(), c.param) << c.body << reply.raw;
    EXPECT_NE(reply.message().find(c.says), std::string::npos) << c.body << reply.raw;
  }
  EXPECT_EQ(total(kModels), 0);
  const Reply made = post(kModels, at(R"({"model_name":"m","endpoint_ids":[@]})", e));
  ASSERT_EQ(made.status, 200) << made.raw;
  const Reply taken = post(kModels, at(R"({"model_name":"m","endpoint_ids":[@]})", e));
  EXPECT_EQ(taken.status, 409);
  EXPECT_EQ(taken.param(), "model_name");
  const std::string path = std::string(kModels) + "/" + id_of(made);
  // A change that fails in the middle leaves the old one whole.
  EXPECT_EQ(on("PATCH", path, R"({"tags":["x"],"endpoint_ids":[999]})").status, 400);
  EXPECT_EQ(on("GET", path).data().at("tags").as_array().size(), 0u);
}

// Prices go from the body to the catalog digit by digit and are shown as they were stated.
TEST_P(Registry, PricesAreExact) {
  const std::string e = id_of(post(kEndpoints, R"({"name":"e","endpoint":"https://h/v1"})"));
  const Reply made = post(kModels, at(R"({"model_name":"m","endpoint_ids":[@],"pricing_tiers":[
                           {"max_input_tokens":32000,"input_price":0.1234567891,"output_price":"8"},
                           {"input_price":2,"output_price":12.50}],
                           "contributor_tiers":[{"input_price":1,"output_price":4}]})",
                                      e));
  ASSERT_EQ(made.status, 200) << made.raw;
  const auto tier = [](const Reply& r, size_t i) { return r.data().at("pricing_tiers").at(i); };
  EXPECT_EQ(tier(made, 0).at("input_price"), "0.1234567891");
  EXPECT_EQ(tier(made, 1).at("output_price"), "12.5");
  EXPECT_FALSE(tier(made, 0).as_object().contains("cached_price"));
  EXPECT_EQ(made.data().at("price_state"), "priced");
  EXPECT_EQ(made.data().at("contributor_tiers").at(0).at("output_price"), "4");
  const auto price = [&] { return rig().catalog().current()->find("m")->price; };
  EXPECT_EQ(price().tiers.at(0).price(governance::TokenClass::input).units(), 1'234'567'891);
  const base::PriceId first = price().snapshot;
  const std::string path = std::string(kModels) + "/" + id_of(made);
  EXPECT_EQ(tier(on("PATCH", path, R"({"tags":["x"]})"), 0).at("input_price"), "0.1234567891");
  const Reply shown = rig().call("GET", "/api/v1/public/models");
  const auto& item = shown.data().at("items").at(0);
  EXPECT_EQ(item.at("free"), false);
  EXPECT_EQ(item.at("pricing_tiers").at(1).at("cached_price"), "0.4");
  EXPECT_EQ(item.at("price_range").at("output_price").at("min"), "8");
  EXPECT_EQ(item.at("price_range").at("output_price").at("max"), "12.5");
  EXPECT_EQ(shown.raw.find("contributor"), std::string::npos);
  ASSERT_EQ(on("PATCH", path, R"({"pricing_tiers":[]})").data().at("price_state"), "free");
  EXPECT_NE(price().snapshot, first);
  auto reader = *database().read();
  EXPECT_EQ(reader.query_value<int64_t>("SELECT COUNT(*) FROM price_snapshots").value(), 2);
}

// Hybrids: made of models that there are, with a policy that says what is wrong with it, and in
// force when the answer comes.
TEST_P(Registry, BadHybridsNameTheFieldAndTheLine) {
  const std::string e = id_of(post(kEndpoints, R"({"name":"e","endpoint":"https://h/v1"})"));
  for (const char* name : {"a", "b"}) {
    ASSERT_EQ(post(kModels, at(R"({"model_name":")" + std::string(name) +
                                   R"(","endpoint_ids":[@],"pricing_tiers":[]})",
                               e))
                  .status,
              200);
  }
  const std::string good = R"("model_name":"auto","vendor_type":"hybrid","child_models":["a","b"])";
  ASSERT_EQ(
      post(kModels, R"({"model_name":"auto","vendor_type":"hybrid","child_models":["a","b"]})")
          .status,
      200);
  const struct {
    std::string body;
    const char* param;
    const char* says;
  } cases[] = {
      {R"("model_name":"h","vendor_type":"hybrid")", "child_models", "at least 2"},
      {R"("model_name":"h","vendor_type":"hybrid","child_models":["a"])", "child_models",
       "at least 2"},
      {R"("model_name":"h","vendor_type":"hybrid","child_models":["a","a"])", "child_models[1]",
       "different"},
      {R"("model_name":"h","vendor_type":"hybrid","child_models":["a","z"])", "child_models",
       "no model \"z\""},
      {R"("model_name":"h","vendor_type":"hybrid","child_models":["a","auto"])", "child_models",
       "hybrid itself"},
      {good + R"(,"endpoint_ids":[1])", "endpoint_ids", "its children"},
      {good + R"(,"pricing_tiers":[])", "pricing_tiers", "no price of its own"},
      {good + R"(,"routing_policy":"rules:\n  - name: x\n    targets: [c]\nspeed: 1")",
       "routing_policy", "line 3: `c` is not a child of this model; line 4: `speed`"},
      {good + R"(,"routing_policy":"a\u0000b")", "routing_policy", "control characters"},
      {at(R"("model_name":"m","endpoint_ids":[@],"child_models":["a","b"])", e), "child_models",
       "hybrid models"},
      {at(R"("model_name":"m","endpoint_ids":[@],"routing_policy":"rules: []")", e),
       "routing_policy", "hybrid models"},
      {good, "model_name", "taken"},
  };
  for (const auto& c : cases) {
    const Reply reply = post(kModels, "{" + c.body + "}");
    EXPECT_GE(reply.status, 400) << c.body << reply.raw;
    EXPECT_EQ(reply.param(), c.param) << c.body << reply.raw;
    if (std::string_view(c.says) != "taken") {
      EXPECT_NE(reply.message().find(c.says), std::string::npos) << c.body << reply.raw;
    }
  }
  EXPECT_EQ(total(kModels), 3);
}

TEST_P(Registry, AHybridIsInForceWhenTheAnswerComes) {
  const std::string e = id_of(post(kEndpoints, R"({"name":"e","endpoint":"https://h/v1"})"));
  const auto add = [&](const char* name, const char* price) {
    return id_of(post(kModels, at(R"({"model_name":")" + std::string(name) +
                                      R"(","endpoint_ids":[@],"pricing_tiers":)" + price + "}",
                                  e)));
  };
  const std::string a = add("a", R"([{"input_price":1,"output_price":2}])");
  add("b", R"([{"input_price":"0.5","output_price":8}])");
  const Reply made = post(kModels, R"({"model_name":"auto","vendor_type":"hybrid",
      "child_models":["b","a"],"routing_policy":"load_balance: round-robin\n"})");
  ASSERT_EQ(made.status, 200) << made.raw;
  EXPECT_EQ(made.data().at("price_state"), "of_children");
  EXPECT_EQ(made.data().at("routing_policy"), "load_balance: round-robin\n");
  EXPECT_EQ(made.data().at("child_models").at(0), "b");
  const auto strategy = [&] {
    const auto routes = rig().router().current();
    return routes->hybrid(*routes->catalog()->find("auto"))->policy.load_balance;
  };
  EXPECT_EQ(strategy(), routing::LoadBalance::round_robin);
  const std::string path = std::string(kModels) + "/" + id_of(made);
  ASSERT_EQ(on("PATCH", path, R"({"routing_policy":"load_balance: lowest-cost"})").status, 200);
  EXPECT_EQ(strategy(), routing::LoadBalance::lowest_cost);
  const Reply shown = rig().call("GET", "/api/v1/public/models?keyword=auto");
  const auto& item = shown.data().at("items").at(0);
  EXPECT_EQ(item.at("vendor_type"), "hybrid");
  EXPECT_EQ(item.at("free"), false);
  EXPECT_EQ(item.at("price_range").at("input_price").at("min"), "0.5");
  EXPECT_EQ(item.at("price_range").at("output_price").at("max"), "8");
  // A child cannot go while it is one, in any way.
  const std::string child = std::string(kModels) + "/" + a;
  const Reply kept = on("DELETE", child);
  EXPECT_EQ(kept.status, 409);
  EXPECT_NE(kept.message().find("(auto)"), std::string::npos) << kept.raw;
  EXPECT_EQ(on("PATCH", child, R"({"model_name":"c"})").status, 409);
  EXPECT_EQ(on("PATCH", child, R"({"enabled":false})").status, 200);
  EXPECT_EQ(rig().catalog().current()->find("auto")->children.at(1).model, nullptr);
  EXPECT_EQ(on("DELETE", path).status, 200);
  EXPECT_EQ(on("DELETE", child).status, 200);
}

TEST_P(Registry, AModelWithoutAReadablePriceIsShownToAdministratorsOnly) {
  const std::string e = id_of(post(kEndpoints, R"({"name":"e","endpoint":"https://h/v1"})"));
  const Reply made = post(kModels, at(R"({"model_name":"m","endpoint_ids":[@]})", e));
  EXPECT_EQ(made.data().at("price_state"), "unpriced");
  EXPECT_TRUE(made.data().at("pricing_tiers").is_null());
  const auto public_models = [&] {
    return rig().call("GET", "/api/v1/public/models").data().at("total").as_int64();
  };
  EXPECT_EQ(public_models(), 0);
  const std::string path = std::string(kModels) + "/" + id_of(made);
  ASSERT_EQ(on("PATCH", path, R"({"pricing_tiers":[]})").status, 200);
  EXPECT_EQ(public_models(), 1);
  ASSERT_TRUE(
      (*database().write()).execute("UPDATE model_registry SET pricing_tiers = '[{}]'").ok());
  ASSERT_EQ(on("PATCH", path, R"({"tags":["x"]})").status, 200);
  const Reply listed = rig().call("GET", kModels, admin_);
  EXPECT_EQ(listed.data().at("items").at(0).at("price_state"), "unreadable");
  EXPECT_NE(listed.raw.find("pricing_tiers[0].input_price"), std::string::npos) << listed.raw;
  EXPECT_FALSE(rig().catalog().current()->find("m")->price.known());
  EXPECT_EQ(public_models(), 0);
}

}  // namespace
}  // namespace deeppool::api_contract
