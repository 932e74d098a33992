// Money from outside: wallets, adjustments, overdraft, token grants, discounts.
#include <gtest/gtest.h>

#include "tests/api/rig.h"

namespace deeppool::api_contract {
namespace {

using identity::Role;

class MoneyTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    if (IsSkipped()) return;
    admin_ = rig().add_person("root", Role::admin);
    ada_ = rig().add_person("ada");
  }
  Reply by_admin(const char* method, const std::string& path, const std::string& body = {}) {
    return rig().call(method, "/api/v1/admin/" + path, admin_.token, body);
  }
  Reply by_ada(const std::string& path) { return rig().call("GET", "/api/v1/" + path, ada_.token); }
  std::string of_ada(const std::string& rest) {
    return "users/" + std::to_string(ada_.id.value) + rest;
  }
  Reply adjust(const std::string& amount, const std::string& reference) {
    return by_admin("POST", of_ada("/wallet/adjustments"),
                    R"({"amount_yuan":)" + amount + R"(,"reason":"bank transfer","reference":")" +
                        reference + "\"}");
  }
  static std::string text(const Reply& reply, const char* name) {
    return std::string(reply.data().at(name).as_string());
  }
  int64_t audited(const std::string& action) {
    return by_admin("GET", "audit-log?action=" + action).data().at("total").as_int64();
  }
  Person admin_;
  Person ada_;
};
DEEPPOOL_EACH_DATABASE(MoneyTest);

TEST_P(MoneyTest, AnAdjustmentIsExactAndSafeToRepeat) {
  EXPECT_EQ(text(by_ada("wallet"), "balance_yuan"), "0");
  const Reply first = adjust("12345678.0123456789", "T-1");
  ASSERT_EQ(first.status, 200) << first.raw;
  EXPECT_EQ(text(first, "balance_yuan"), "12345678.0123456789");
  EXPECT_FALSE(first.data().at("repeated").as_bool());
  const Reply again = adjust("\"12345678.0123456789\"", "T-1");
  EXPECT_TRUE(again.data().at("repeated").as_bool()) << again.raw;
  EXPECT_EQ(text(again, "balance_yuan"), "12345678.0123456789");
  EXPECT_EQ(adjust("1", "T-1").status, 409);
  EXPECT_EQ(text(adjust("-0.0123456789", "T-2"), "balance_yuan"), "12345678");
  const Reply wallet = by_ada("wallet");
  EXPECT_EQ(text(wallet, "balance_yuan"), "12345678");
  EXPECT_EQ(text(wallet, "available_yuan"), "12345678");
  EXPECT_EQ(audited("wallet.adjust"), 3);

  const Reply statement = by_ada("wallet/transactions");
  ASSERT_EQ(statement.data().at("total").as_int64(), 2) << statement.raw;
  const Reply same = by_admin("GET", of_ada("/wallet/transactions"));
  EXPECT_EQ(same.data(), statement.data());
  const auto& items = statement.data().at("items").as_array();
  for (const auto& item : items) {
    EXPECT_EQ(item.at("kind").as_string(), "adjust");
    EXPECT_EQ(item.at("remark").as_string(), "bank transfer");
  }
}

TEST_P(MoneyTest, NothingIsTakenThatIsNotThere) {
  ASSERT_EQ(adjust("5", "a").status, 200);
  const Reply refused = adjust("-5.0000000001", "b");
  EXPECT_EQ(refused.status, 429) << refused.raw;
  EXPECT_NE(refused.message().find("Only 5 yuan"), std::string::npos);
  EXPECT_EQ(text(by_ada("wallet"), "balance_yuan"), "5");
  EXPECT_EQ(by_ada("wallet/transactions").data().at("total").as_int64(), 1);
  EXPECT_EQ(audited("wallet.adjust"), 1);
}

TEST_P(MoneyTest, WrongAdjustmentsSayWhatIsWrong) {
  const struct {
    const char* body;
    const char* param;
  } cases[] = {
      {R"({"amount_yuan":0,"reason":"x","reference":"r"})", "amount_yuan"},
      {R"({"reason":"x","reference":"r"})", "amount_yuan"},
      {R"({"amount_yuan":0.00000000001,"reason":"x","reference":"r"})", "amount_yuan"},
      {R"({"amount_yuan":100000001,"reason":"x","reference":"r"})", "amount_yuan"},
      {R"({"amount_yuan":"1 yuan","reason":"x","reference":"r"})", "amount_yuan"},
      {R"({"amount_yuan":1,"reference":"r"})", "reason"},
      {R"({"amount_yuan":1,"reason":"","reference":"r"})", "reason"},
      {R"({"amount_yuan":1,"reason":"x"})", "reference"},
      {R"({"amount_yuan":1,"reason":"x","reference":"a:b"})", "reference"},
      {R"({"amount_yuan":1,"reason":"x","reference":"r","kind":"topup"})", "kind"},
  };
  for (const auto& c : cases) {
    const Reply reply = by_admin("POST", of_ada("/wallet/adjustments"), c.body);
    EXPECT_EQ(reply.status, 400) << c.body << reply.raw;
    EXPECT_EQ(reply.param(), c.param) << c.body;
  }
  EXPECT_EQ(by_admin("POST", "users/777/wallet/adjustments",
                     R"({"amount_yuan":1,"reason":"x","reference":"r"})")
                .status,
            404);
  EXPECT_EQ(by_ada("wallet/transactions").data().at("total").as_int64(), 0);
}

TEST_P(MoneyTest, AnOverdraftIsSetShownAndUsed) {
  const Reply unset = by_admin("GET", of_ada("/billing"));
  EXPECT_FALSE(unset.data().at("allow_overdraft").as_bool());
  const Reply set =
      by_admin("PUT", of_ada("/billing"), R"({"allow_overdraft":true,"max_overdraft_yuan":10.5})");
  ASSERT_EQ(set.status, 200) << set.raw;
  EXPECT_EQ(text(set, "available_yuan"), "10.5");
  EXPECT_EQ(text(adjust("-10.5", "a"), "balance_yuan"), "-10.5");
  EXPECT_EQ(adjust("-0.0000000001", "b").status, 429);
  // What is not given stays.
  const Reply off = by_admin("PUT", of_ada("/billing"), R"({"allow_overdraft":false})");
  EXPECT_EQ(text(off, "max_overdraft_yuan"), "10.5");
  EXPECT_EQ(text(by_ada("wallet"), "available_yuan"), "-10.5");
  EXPECT_EQ(by_admin("PUT", of_ada("/billing"), R"({"max_overdraft_yuan":-1})").param(),
            "max_overdraft_yuan");
  EXPECT_EQ(by_admin("PUT", "users/777/billing", R"({"allow_overdraft":true})").status, 404);
  EXPECT_EQ(by_admin("GET", "users/777/billing").status, 404);
  EXPECT_EQ(by_admin("GET", "users/777/wallet/transactions").status, 404);
  EXPECT_EQ(audited("user.billing"), 2);
}

TEST_P(MoneyTest, AStatementIsFilteredByKindAndDay) {
  ASSERT_EQ(adjust("1", "a").status, 200);
  EXPECT_EQ(by_ada("wallet/transactions?kind=adjust").data().at("total").as_int64(), 1);
  EXPECT_EQ(by_ada("wallet/transactions?kind=use").data().at("total").as_int64(), 0);
  EXPECT_EQ(by_ada("wallet/transactions?to=1999-12-31").data().at("total").as_int64(), 0);
  EXPECT_EQ(by_ada("wallet/transactions?from=1971-01-01").data().at("total").as_int64(), 1);
  EXPECT_EQ(by_ada("wallet/transactions?kind=gift").param(), "kind");
  EXPECT_EQ(by_ada("wallet/transactions?from=yesterday").param(), "from");
  const Person bob = rig().add_person("bob");
  EXPECT_EQ(rig().call("GET", "/api/v1/wallet/transactions", bob.token).data().at("total"), 0);
}

TEST_P(MoneyTest, GrantsAreGivenFoundAndRevoked) {
  const std::string user = std::to_string(ada_.id.value);
  const Reply made =
      by_admin("POST", "token-grants",
               R"({"user_id":)" + user + R"(,"tokens_total":5000,"remark":"Hello"})");
  ASSERT_EQ(made.status, 200) << made.raw;
  EXPECT_EQ(made.data().at("tokens_used").as_int64(), 0);
  EXPECT_TRUE(made.data().at("expires_at").is_null());
  const auto shown = [&] { return by_ada("wallet").data().at("token_grants").as_array().size(); };
  EXPECT_EQ(shown(), 1u);
  const auto found = [&](const std::string& query) {
    return by_admin("GET", "token-grants?" + query).data().at("total").as_int64();
  };
  EXPECT_EQ(found("user_id=" + user + "&usable=true&keyword=hell"), 1);
  EXPECT_EQ(found("user_id=777"), 0);
  EXPECT_EQ(found("keyword=%25"), 0);
  const Reply gone = by_admin("DELETE", "token-grants/" + id_of(made));
  EXPECT_EQ(gone.status, 200);
  const auto revoked_at = gone.data().at("revoked_at");
  EXPECT_TRUE(revoked_at.is_int64());
  EXPECT_EQ(by_admin("DELETE", "token-grants/" + id_of(made)).data().at("revoked_at"), revoked_at);
  EXPECT_EQ(shown(), 0u);
  EXPECT_EQ(found("usable=true"), 0);
  EXPECT_EQ(found(""), 1);
  EXPECT_EQ(by_admin("DELETE", "token-grants/777").status, 404);
  EXPECT_EQ(audited("token_grant.create"), 1);
  const struct {
    const char* body;
    int status;
    const char* param;
  } cases[] = {{R"({"user_id":777,"tokens_total":1})", 404, ""},
               {R"({"tokens_total":1})", 400, "user_id"},
               {R"({"user_id":1})", 400, "tokens_total"},
               {R"({"user_id":1,"tokens_total":0})", 400, "tokens_total"},
               {R"({"user_id":1,"tokens_total":1.5})", 400, "tokens_total"},
               {R"({"user_id":1,"tokens_total":1,"expires_at":1})", 400, "expires_at"},
               {R"({"user_id":1,"tokens_total":1,"tokens_used":1})", 400, "tokens_used"}};
  for (const auto& c : cases) {
    const Reply reply = by_admin("POST", "token-grants", c.body);
    EXPECT_EQ(reply.status, c.status) << c.body << reply.raw;
    EXPECT_EQ(reply.param(), c.param) << c.body;
  }
}

TEST_P(MoneyTest, DiscountsAreMadeFoundAndRevoked) {
  const std::string user = std::to_string(ada_.id.value);
  const Reply all = by_admin("POST", "discounts", R"({"discount_ppm":100000})");
  ASSERT_EQ(all.status, 200) << all.raw;
  EXPECT_TRUE(all.data().at("user_id").is_null());
  const Reply own = by_admin("POST", "discounts",
                             R"({"discount_ppm":300000,"user_id":)" + user +
                                 R"(,"starts_at":9000000000000,"ends_at":9000000000001})");
  ASSERT_EQ(own.status, 200) << own.raw;
  const auto found = [&](const std::string& query) {
    return by_admin("GET", "discounts?" + query).data().at("total").as_int64();
  };
  EXPECT_EQ(found(""), 2);
  EXPECT_EQ(found("in_force=true"), 1);
  EXPECT_EQ(found("user_id=" + user), 1);
  EXPECT_EQ(by_admin("DELETE", "discounts/" + id_of(all)).status, 200);
  EXPECT_EQ(found("in_force=true"), 0);
  EXPECT_EQ(by_admin("DELETE", "discounts/777").status, 404);
  EXPECT_EQ(audited("discount.revoke"), 1);
  const struct {
    const char* body;
    int status;
    const char* param;
  } cases[] = {
      {R"({})", 400, "discount_ppm"},
      {R"({"discount_ppm":0})", 400, "discount_ppm"},
      {R"({"discount_ppm":1000001})", 400, "discount_ppm"},
      {R"({"discount_ppm":1,"user_id":777})", 404, ""},
      {R"({"discount_ppm":1,"ends_at":1})", 400, "ends_at"},
      {R"({"discount_ppm":1,"starts_at":9000000000000,"ends_at":9000000000000})", 400, "ends_at"}};
  for (const auto& c : cases) {
    const Reply reply = by_admin("POST", "discounts", c.body);
    EXPECT_EQ(reply.status, c.status) << c.body << reply.raw;
    EXPECT_EQ(reply.param(), c.param) << c.body;
  }
}

}  // namespace
}  // namespace deeppool::api_contract
