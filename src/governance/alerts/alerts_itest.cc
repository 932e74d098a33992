#include <gtest/gtest.h>

#include "governance/alerts/alert_store.h"
#include "governance/alerts/alert_watch.h"
#include "governance/alerts/delivery.h"
#include "governance/alerts/limits.h"
#include "governance/applier/crash_world.h"
#include "sql/transaction.h"
#include "testing/databases.h"

namespace deeppool::governance::alerts {
namespace {

constexpr base::UserId kUser{1};
constexpr int64_t kNow = 1'800'000'000'000;

base::Money yuan(int64_t n) {
  return base::Money::units(n * base::Money::kUnitsPerYuan);
}

class AlertsTest : public testing::DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (!IsSkipped()) add_user_with_two_keys(database());
  }
  RuleId rule(Kind kind, base::Money below, int64_t share) {
    Rule r;
    r.user = kUser;
    r.kind = kind;
    r.below = below;
    r.share_percent = share;
    const auto id =
        sql::run_transaction(database(), [&](sql::Writer& tx) { return add_rule(tx, r); });
    EXPECT_TRUE(id.ok()) << id.error().detail;
    return *id;
  }
  void set_balance(int64_t yuans) {
    ASSERT_TRUE(database()
                    .write()
                    ->execute("INSERT INTO user_wallets (user_id, posted, updated_at)"
                              " VALUES (?, ?, 0) {upsert user_id} posted = {new posted}",
                              kUser, yuan(yuans))
                    .ok());
  }
  void set_quota(int64_t key, int64_t used, int64_t total) {
    ASSERT_TRUE(database()
                    .write()
                    ->execute("UPDATE api_keys SET quota_used = ?, quota_total = ? WHERE id = ?",
                              used, total, key)
                    .ok());
  }
  void set_webhook() {
    ASSERT_TRUE(database()
                    .write()
                    ->execute("INSERT INTO alert_webhooks (user_id, url, secret_sealed,"
                              " updated_at) VALUES (?, 'https://x', ?, 0)",
                              kUser, sql::Blob{"s"})
                    .ok());
  }
  PassOutcome look(int64_t now = kNow) {
    const auto outcome = look_at_rules(database(), now);
    EXPECT_TRUE(outcome.ok()) << outcome.error().detail;
    return outcome.ok() ? *outcome : PassOutcome{};
  }
  std::vector<Alert> open_alerts() {
    auto reader = database().read();
    return search(*reader, kUser, {.only_open = true})->alerts;
  }
};
DEEPPOOL_EACH_DATABASE(AlertsTest);

TEST_P(AlertsTest, BalanceIsToldOncePerCrossing) {
  set_balance(11);
  rule(Kind::balance, yuan(10), 0);
  EXPECT_EQ(look().raised, 0);
  set_balance(9);
  EXPECT_EQ(look().raised, 1);
  set_balance(8);
  EXPECT_EQ(look().raised, 0);  // still the same crossing
  ASSERT_EQ(open_alerts().size(), 1u);
  EXPECT_EQ(open_alerts()[0].balance, yuan(9));
  set_balance(10);
  EXPECT_EQ(look(kNow + 1).recovered, 1);  // the threshold itself is not below it
  EXPECT_TRUE(open_alerts().empty());
  set_balance(0);
  EXPECT_EQ(look().raised, 1);  // armed again
}

TEST_P(AlertsTest, TheOldestAlertsAreForgottenOpenOnesStay) {
  set_balance(9);
  rule(Kind::balance, yuan(10), 0);
  EXPECT_EQ(look().raised, 1);  // the oldest, and it stays open
  using Row = std::tuple<int64_t, base::UserId, std::string_view, int64_t, int64_t>;
  const std::vector<Row> rows(kMaxAlertsKept + 5, Row{0, kUser, "quota", 1, 1});
  auto writer = database().write();
  ASSERT_TRUE(
      writer->insert_rows("INSERT INTO alerts (rule_id, user_id, kind, key_id, raised_at)"
                          " {rows}",
                          std::span<const Row>(rows)));
  ASSERT_TRUE(prune(*writer, base::UserId{2}).ok());
  EXPECT_EQ(search(*writer, kUser, {})->total, kMaxAlertsKept + 6);
  ASSERT_TRUE(prune(*writer, kUser).ok());
  EXPECT_EQ(search(*writer, kUser, {})->total, kMaxAlertsKept + 1);
  EXPECT_EQ(search(*writer, kUser, {.only_open = true})->total, 1);
}

TEST_P(AlertsTest, ATestIsSentOnceAndItsFailureIsFinal) {
  set_webhook();
  const auto test = [&] {
    return sql::run_transaction(database(),
                                [&](sql::Writer& tx) { return test_webhook(tx, kUser, kNow); });
  };
  ASSERT_TRUE(test().ok());
  EXPECT_EQ(test().error().code, ErrorCode::conflict);
  const auto due = claim_due(database(), kNow, 10);
  ASSERT_EQ(due->size(), 1u);
  ASSERT_TRUE(note_failed(database(), due->front(), kNow).ok());
  auto reader = database().read();
  EXPECT_EQ(search(*reader, kUser, {})->alerts.at(0).delivery, "failed");
  EXPECT_TRUE(test().ok());
}

TEST_P(AlertsTest, WhoNeverHadMoneyHasABalanceOfZero) {
  rule(Kind::balance, yuan(1), 0);
  rule(Kind::balance, yuan(0), 0);
  EXPECT_EQ(look().raised, 1);
}

TEST_P(AlertsTest, QuotaIsToldPerKeyAndShare) {
  rule(Kind::quota, {}, 80);
  rule(Kind::quota, {}, 100);
  set_quota(1, 79, 100);
  set_quota(2, 0, -1);
  EXPECT_EQ(look().raised, 0);
  set_quota(1, 80, 100);
  EXPECT_EQ(look().raised, 1);
  set_quota(1, 120, 100);
  set_quota(2, 1'000'000'000'000'000, 1'000'000'000'000'000);
  EXPECT_EQ(look().raised, 3);
  set_quota(1, 120, 1000);  // more quota was given
  set_quota(2, 5, -1);      // no limit any more
  EXPECT_EQ(look().recovered, 4);
  set_quota(1, 0, 0);  // a quota of nothing has no share
  EXPECT_EQ(look().raised, 0);
}

TEST_P(AlertsTest, AlertsEndWithTheirRuleAndTheirKey) {
  const RuleId gone = rule(Kind::balance, yuan(10), 0);
  rule(Kind::quota, {}, 80);
  set_quota(1, 9, 10);
  EXPECT_EQ(look().raised, 2);
  ASSERT_TRUE(sql::run_transaction(database(), [&](sql::Writer& tx) {
                return remove_rule(tx, kUser, gone, kNow);
              }).ok());
  EXPECT_EQ(open_alerts().size(), 1u);
  ASSERT_TRUE(database().write()->execute("DELETE FROM api_keys WHERE id = 1").ok());
  EXPECT_EQ(look().recovered, 1);
  EXPECT_EQ(look().raised, 0);
}

TEST_P(AlertsTest, RulesAreBounded) {
  for (int64_t i = 0; i < kMaxRulesPerUser; ++i) rule(Kind::balance, yuan(i), 0);
  Rule more;
  more.user = kUser;
  const auto refused =
      sql::run_transaction(database(), [&](sql::Writer& tx) { return add_rule(tx, more); });
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
}

TEST_P(AlertsTest, ADeliveryIsClaimedByOneAndRetriedWithPatience) {
  set_webhook();
  rule(Kind::balance, yuan(10), 0);
  EXPECT_EQ(look().raised, 1);
  int64_t now = kNow;
  for (int64_t attempt = 1; attempt <= kMaxAttempts; ++attempt) {
    const auto mine = claim_due(database(), now, 10);
    ASSERT_TRUE(mine.ok()) << mine.error().detail;
    ASSERT_EQ(mine->size(), 1u) << attempt;
    EXPECT_EQ(mine->front().attempt, attempt);
    EXPECT_EQ(mine->front().url, "https://x");
    EXPECT_TRUE(claim_due(database(), now, 10)->empty());  // another instance gets nothing
    ASSERT_TRUE(note_failed(database(), mine->front(), now).ok());
    const int64_t wait = kFirstRetry.count() << (attempt - 1);
    EXPECT_TRUE(claim_due(database(), now + wait - 1, 10)->empty());
    now += wait;
  }
  EXPECT_TRUE(claim_due(database(), now * 2, 10)->empty());
  EXPECT_EQ(open_alerts()[0].delivery, "failed");
}

TEST_P(AlertsTest, WhatADeadInstanceClaimedComesBack) {
  set_webhook();
  rule(Kind::balance, yuan(10), 0);
  look();
  ASSERT_EQ(claim_due(database(), kNow, 10)->size(), 1u);
  const auto again = claim_due(database(), kNow + 60'000, 10);
  ASSERT_EQ(again->size(), 1u);
  ASSERT_TRUE(note_sent(database(), again->front().alert.id).ok());
  EXPECT_EQ(open_alerts()[0].delivery, "sent");
  EXPECT_TRUE(claim_due(database(), kNow * 2, 10)->empty());
}

TEST_P(AlertsTest, WithoutAWebhookNothingIsSent) {
  rule(Kind::balance, yuan(10), 0);
  look();
  EXPECT_EQ(open_alerts()[0].delivery, "none");
  set_webhook();
  EXPECT_TRUE(claim_due(database(), kNow * 2, 10)->empty());
}

}  // namespace
}  // namespace deeppool::governance::alerts
