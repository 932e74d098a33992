// Connecting a provider from outside: the catalogue, the test of an endpoint, an upstream's models.
// The upstream is the mock, in each of its dialects.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mock_upstream/server.h"
#include "tests/api/rig.h"

namespace deeppool::api_contract {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kKey = "sk-secret-0123456789abcdef";
constexpr const char* kEndpoints = "/api/v1/admin/endpoints";

class ProviderSetup : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    if (IsSkipped()) return;
    admin_ = rig().add_person("root", identity::Role::admin).token;
    auto mock = mock::MockServer::start({});
    ASSERT_TRUE(mock.ok());
    mock_ = *std::move(mock);
    url_ = "http://127.0.0.1:" + std::to_string(mock_->port()) + "/v1";
  }
  Reply post(const std::string& path, const std::string& body) {
    return rig().call("POST", kEndpoints + path, admin_, body);
  }
  std::string fields(const std::string& model, const std::string& type = "openai") {
    return R"({"provider_type":")" + type + R"(","endpoint":")" + url_ + R"(","api_key":")" + kKey +
           R"(","upstream_model":")" + model + R"("})";
  }
  // "connect passed, auth passed, ..."
  static std::string steps(const Reply& reply) {
    std::string out;
    for (const auto& step : reply.data().at("steps").as_array()) {
      out += std::string(out.empty() ? "" : ", ") + std::string(step.at("step").as_string()) + " " +
             std::string(step.at("state").as_string());
    }
    return out;
  }
  std::string admin_;
  std::string url_;
  std::unique_ptr<mock::MockServer> mock_;
};
DEEPPOOL_EACH_DATABASE(ProviderSetup);

TEST_P(ProviderSetup, TheCatalogueHasDatedRows) {
  const Reply reply = rig().call("GET", "/api/v1/admin/providers", admin_);
  ASSERT_EQ(reply.status, 200) << reply.raw;
  const auto& items = reply.data().at("items").as_array();
  ASSERT_GE(items.size(), 10u);
  for (const auto& item : items) {
    EXPECT_FALSE(item.at("as_of").as_string().empty());
    EXPECT_FALSE(item.at("source").as_string().empty());
  }
}

TEST_P(ProviderSetup, AGoodEndpointPassesEveryStep) {
  const Reply unsaved = post("/test", fields("mock-ok"));
  ASSERT_EQ(unsaved.status, 200) << unsaved.raw;
  EXPECT_TRUE(unsaved.data().at("ok").as_bool()) << unsaved.raw;
  EXPECT_EQ(steps(unsaved), "connect passed, auth passed, models passed, answer passed");
  EXPECT_EQ(unsaved.data().at("models").as_array().size(), 4u);
  std::string saved = fields("mock-ok");
  saved.insert(1, R"("name":"mock",)");
  const Reply made = post("", saved);
  ASSERT_EQ(made.status, 200) << made.raw;
  const Reply again = post("/test", R"({"endpoint_id":)" + id_of(made) + "}");
  EXPECT_TRUE(again.data().at("ok").as_bool()) << again.raw;
}

TEST_P(ProviderSetup, EachFailureSaysWhatToDoAndNeverTheKey) {
  const struct {
    std::string body;
    const char* steps;
    const char* advice;
  } rows[] = {
      {fields("mock-status-401"), "connect passed, auth passed, models passed, answer failed",
       "Check `api_key`"},
      {fields("mock-insufficient-quota"),
       "connect passed, auth passed, models passed, answer failed", "top it up"},
      {fields("mock-status-404"), "connect passed, auth passed, models passed, answer failed",
       "path of `endpoint`"},
      {fields("mock-status-500"), "connect passed, auth passed, models passed, answer failed",
       "in trouble"},
      {fields("mock-garbage"), "connect passed, auth passed, models passed, answer failed", ""},
      {fields("mock-html-error"), "connect passed, auth passed, models passed, answer failed",
       "in trouble"},
      {R"({"endpoint":"http://127.0.0.1:1/v1"})",
       "connect failed, auth skipped, models skipped, answer skipped", "firewall"},
      {R"({"endpoint":"https://127.0.0.1:)" + std::to_string(mock_->port()) + R"(/v1"})",
       "connect passed, tls failed, auth skipped, models skipped, answer skipped", "certificate"},
      {R"({"endpoint":"http://127.0.0.1:)" + std::to_string(mock_->port()) + R"(/wrong"})",
       "connect passed, auth skipped, models skipped, answer skipped", "upstream_model"},
  };
  for (const auto& row : rows) {
    const Reply reply = post("/test", row.body);
    ASSERT_EQ(reply.status, 200) << row.body << reply.raw;
    EXPECT_EQ(steps(reply), row.steps) << row.body << reply.raw;
    EXPECT_THAT(reply.raw, HasSubstr(row.advice)) << row.body;
    EXPECT_THAT(reply.raw, Not(HasSubstr(kKey))) << row.body;
  }
}

TEST_P(ProviderSetup, AnEchoedKeyIsTakenOut) {
  const Reply reply = post("/test", fields("mock-echo-headers"));
  EXPECT_THAT(reply.raw, Not(HasSubstr(kKey)));
}

TEST_P(ProviderSetup, WrongRequestsNameTheField) {
  const struct {
    const char* body;
    int status;
    const char* param;
  } rows[] = {
      {"{}", 400, "endpoint"},
      {R"({"endpoint":"ftp://x"})", 400, "endpoint"},
      {R"({"endpoint_id":0})", 400, "endpoint_id"},
      {R"({"endpoint_id":7,"endpoint":"http://127.0.0.1:1"})", 400, "endpoint"},
      {R"({"endpoint_id":999999})", 404, ""},
      {R"({"endpoint":"http://127.0.0.1:1","odd":1})", 400, "odd"},
  };
  for (const auto& row : rows) {
    const Reply reply = post("/test", row.body);
    EXPECT_EQ(reply.status, row.status) << row.body << reply.raw;
    EXPECT_EQ(reply.param(), row.param) << row.body << reply.raw;
  }
}

TEST_P(ProviderSetup, ModelsAreImportedWithTheirPricesOrNotAtAll) {
  std::string saved = fields("mock-ok");
  saved.insert(1, R"("name":"cloud",)");
  const std::string id = id_of(post("", saved));
  const Reply listed =
      rig().call("GET", std::string(kEndpoints) + "/" + id + "/upstream-models", admin_);
  ASSERT_EQ(listed.status, 200) << listed.raw;
  EXPECT_EQ(listed.data().at("items").as_array().size(), 4u);
  const std::string path = "/" + id + "/import-models";
  const struct {
    const char* body;
    const char* param;
  } wrong[] = {
      {"{}", "models"},
      {R"({"models":{}})", "models"},
      {R"({"models":[]})", "models"},
      {R"({"models":[{"free":true}]})", "models[0].upstream_model"},
      {R"({"models":[{"upstream_model":"a","free":true},{"upstream_model":"b"}]})",
       "models[1].pricing_tiers"},
      {R"({"models":[{"upstream_model":"b","pricing_tiers":null}]})", "models[0].pricing_tiers"},
      {R"({"models":[{"upstream_model":"b","free":true,"pricing_tiers":[]}]})",
       "models[0].pricing_tiers"},
      {R"({"models":[{"upstream_model":"b","free":true,"odd":1}]})", "models[0].odd"},
  };
  for (const auto& row : wrong) {
    const Reply reply = post(path, row.body);
    EXPECT_EQ(reply.status, 400) << row.body << reply.raw;
    EXPECT_EQ(reply.param(), row.param) << row.body << reply.raw;
  }
  const Reply made = post(path, R"({"models":[
    {"upstream_model":"mock-ok","model_name":"own","pricing_tiers":
       [{"input_price":0.1,"output_price":"0.30"}]},
    {"upstream_model":"mock-slow","free":true,"supports_vision":true}]})");
  ASSERT_EQ(made.status, 200) << made.raw;
  const auto& items = made.data().at("items").as_array();
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].at("model_name").as_string(), "own");
  EXPECT_EQ(items[0].at("price_state").as_string(), "priced");
  EXPECT_EQ(std::to_string(items[0].at("endpoint_ids").as_array()[0].as_int64()), id);
  EXPECT_EQ(items[1].at("model_name").as_string(), "mock-slow");
  EXPECT_EQ(items[1].at("price_state").as_string(), "free");
  const auto other = std::to_string(items[1].at("endpoint_ids").as_array()[0].as_int64());
  EXPECT_NE(other, id);
  // The new endpoint has the key, too.
  EXPECT_TRUE(post("/test", R"({"endpoint_id":)" + other + "}").data().at("ok").as_bool());
  EXPECT_EQ(
      post(path, R"({"models":[{"upstream_model":"x","free":true,"model_name":"own"}]})").status,
      409);
}

}  // namespace
}  // namespace deeppool::api_contract
