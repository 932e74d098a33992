// Alerts, their rules and the webhook from outside.
#include <gtest/gtest.h>

#include "governance/alerts/alert_watch.h"
#include "tests/api/rig.h"

namespace deeppool::api_contract {
namespace {

constexpr const char* kRules = "/api/v1/alert-rules";
constexpr const char* kWebhook = "/api/v1/alert-webhook";

class Alerts : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    if (IsSkipped()) return;
    ada_ = rig().add_person("ada");
    bob_ = rig().add_person("bob");
  }
  Reply add_rule(const std::string& body) { return rig().call("POST", kRules, ada_.token, body); }
  void look() {
    const auto done = governance::alerts::look_at_rules(database(), 1'800'000'000'000);
    ASSERT_TRUE(done.ok()) << done.error().detail;
  }
  Person ada_, bob_;
};
DEEPPOOL_EACH_DATABASE(Alerts);

TEST_P(Alerts, ARuleIsMadeComesTrueAndIsAcknowledged) {
  const Reply made = add_rule(R"({"kind":"balance","below_yuan":"0.1"})");
  ASSERT_EQ(made.status, 200) << made.raw;
  EXPECT_EQ(made.data().at("below_yuan").as_string(), "0.1");
  look();
  const Reply list = rig().call("GET", "/api/v1/alerts?open=true", ada_.token);
  ASSERT_EQ(list.data().at("total").as_int64(), 1) << list.raw;
  const auto& alert = list.data().at("items").at(0);
  EXPECT_EQ(alert.at("kind").as_string(), "balance");
  EXPECT_EQ(alert.at("balance_yuan").as_string(), "0");
  EXPECT_TRUE(alert.at("acknowledged_at").is_null());
  const std::string path =
      "/api/v1/alerts/" + std::to_string(alert.at("id").as_int64()) + "/acknowledge";
  EXPECT_EQ(rig().call("POST", path, bob_.token, "{}").status, 404);
  const Reply seen = rig().call("POST", path, ada_.token, "{}");
  ASSERT_EQ(seen.status, 200) << seen.raw;
  EXPECT_FALSE(seen.data().at("acknowledged_at").is_null());
  rig().clock().advance(std::chrono::seconds(1));
  EXPECT_EQ(rig().call("POST", path, ada_.token, "{}").raw, seen.raw);  // the first time stays
  EXPECT_EQ(rig().call("GET", "/api/v1/alerts", bob_.token).data().at("total").as_int64(), 0);

  EXPECT_EQ(rig().call("DELETE", std::string(kRules) + "/" + id_of(made), bob_.token).status, 404);
  EXPECT_EQ(rig().call("DELETE", std::string(kRules) + "/" + id_of(made), ada_.token).status, 200);
  EXPECT_EQ(rig().call("GET", "/api/v1/alerts?open=true", ada_.token).data().at("total").as_int64(),
            0);
  EXPECT_EQ(rig().call("GET", "/api/v1/alerts", ada_.token).data().at("total").as_int64(), 1);
}

TEST_P(Alerts, AWebhookIsTestedByAnAlertOfItsOwn) {
  const std::string test = std::string(kWebhook) + "/test";
  EXPECT_EQ(rig().call("POST", test, ada_.token, "{}").status, 404);
  ASSERT_EQ(rig().call("PUT", kWebhook, ada_.token, R"({"url":"https://example.com/a"})").status,
            200);
  const Reply sent = rig().call("POST", test, ada_.token, "{}");
  ASSERT_EQ(sent.status, 200) << sent.raw;
  EXPECT_EQ(sent.data().at("kind").as_string(), "test");
  EXPECT_EQ(sent.data().at("delivery").as_string(), "pending");
  EXPECT_EQ(rig().call("POST", test, ada_.token, "{}").status, 409);
  EXPECT_EQ(rig().call("POST", test, bob_.token, "{}").status, 404);
  const Reply list = rig().call("GET", "/api/v1/alerts", ada_.token);
  EXPECT_EQ(list.data().at("items").at(0), sent.data());
  EXPECT_EQ(rig().call("GET", "/api/v1/alerts?open=true", ada_.token).data().at("total"), 0);
}

TEST_P(Alerts, BadRulesNameTheField) {
  const Reply key = rig().call("POST", "/api/v1/apikeys", bob_.token, R"({"name":"k"})");
  const std::string bobs = R"({"kind":"quota","share_percent":80,"key_id":)" + id_of(key) + "}";
  const struct {
    const char* body;
    const char* param;
  } cases[] = {
      {"{}", "kind"},
      {R"({"kind":"mood"})", "kind"},
      {R"({"kind":"balance"})", "below_yuan"},
      {R"({"kind":"balance","below_yuan":"a lot"})", "below_yuan"},
      {R"({"kind":"balance","below_yuan":0.00000000001})", "below_yuan"},
      {R"({"kind":"balance","below_yuan":1,"share_percent":80})", "share_percent"},
      {R"({"kind":"quota"})", "share_percent"},
      {R"({"kind":"quota","share_percent":0})", "share_percent"},
      {R"({"kind":"quota","share_percent":101})", "share_percent"},
      {R"({"kind":"quota","share_percent":80,"below_yuan":1})", "below_yuan"},
      {bobs.c_str(), "key_id"},
  };
  for (const auto& c : cases) {
    const Reply reply = add_rule(c.body);
    EXPECT_EQ(reply.status, 400) << c.body << reply.raw;
    EXPECT_EQ(reply.param(), c.param) << c.body << reply.raw;
  }
  EXPECT_TRUE(rig().call("GET", kRules, ada_.token).data().at("items").as_array().empty());
}

TEST_P(Alerts, TheWebhooksSecretIsShownOnce) {
  const Reply set = rig().call("PUT", kWebhook, ada_.token, R"({"url":"https://example.com/h"})");
  ASSERT_EQ(set.status, 200) << set.raw;
  const std::string secret(set.data().at("secret").as_string());
  EXPECT_TRUE(secret.starts_with("whsec-")) << secret;
  const Reply shown = rig().call("GET", kWebhook, ada_.token);
  EXPECT_EQ(shown.data().at("url").as_string(), "https://example.com/h");
  EXPECT_EQ(shown.raw.find(secret), std::string::npos);
  EXPECT_TRUE(rig().call("GET", kWebhook, bob_.token).data().at("url").is_null());
  const Reply again = rig().call("PUT", kWebhook, ada_.token, R"({"url":"https://example.com/i"})");
  EXPECT_NE(again.data().at("secret").as_string(), secret);
  EXPECT_EQ(rig().call("DELETE", kWebhook, ada_.token).status, 200);
  EXPECT_TRUE(rig().call("GET", kWebhook, ada_.token).data().at("url").is_null());
}

TEST_P(Alerts, WebhooksThatLeadInwardsAreRefused) {
  for (const char* url :
       {"http://example.com/h", "https://127.0.0.1/h", "https://[::1]/h", "https://10.0.0.1",
        "https://169.254.169.254/latest", "https://[::ffff:10.0.0.1]/", "https://localhost/h",
        "https://a.localhost/h", "ftp://example.com", "example.com", "https://u:p@example.com/",
        "https://example.com/h?x=1", "javascript:alert(1)", "https://[fd00::1]/"}) {
    const Reply reply =
        rig().call("PUT", kWebhook, ada_.token, std::string(R"({"url":")") + url + "\"}");
    EXPECT_EQ(reply.status, 400) << url;
    EXPECT_EQ(reply.param(), "url") << url << reply.raw;
  }
  EXPECT_EQ(rig().call("PUT", kWebhook, ada_.token, "{}").param(), "url");
}

}  // namespace
}  // namespace deeppool::api_contract
