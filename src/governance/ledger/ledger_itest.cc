// The ledger and its wallets on every engine.
#include <gtest/gtest.h>

#include <limits>

#include "governance/ledger/wallet_store.h"
#include "governance/usage/usage_store.h"
#include "sql/transaction.h"
#include "testing/databases.h"

namespace deeppool::governance {
namespace {

using base::Money;
using ledger::Kind;
using ledger::Movement;
using ledger::Posted;

constexpr base::UserId kUser{7};

Money yuan(std::string_view text) {
  return *Money::parse(text);
}

class LedgerTest : public testing::DatabaseTest {
 protected:
  Result<Posted> post(const Movement& m) {
    return sql::run_transaction(database(), [&](sql::Writer& tx) { return ledger::post(tx, m); });
  }
  // An adjustment that is expected to pass.
  void adjust(std::string_view about, std::string_view amount, int64_t at_ms = 1) {
    const auto done = post({.about = about,
                            .user = kUser,
                            .amount = yuan(amount),
                            .other = ledger::kAdjustment,
                            .ref = about,
                            .remark = "why",
                            .at_ms = at_ms});
    ASSERT_TRUE(done) << done.error().message << done.error().detail;
  }
  Wallet wallet(base::UserId user = kUser) {
    auto reader = database().read();
    return *wallets::get(*reader, user);
  }
  Result<void> set_overdraft(bool allowed, std::string_view max) {
    return sql::run_transaction(database(),
                                std::function<Result<void>(sql::Writer&)>([&](sql::Writer& tx) {
                                  return wallets::set_overdraft(tx, kUser, {allowed, yuan(max)}, 5);
                                }));
  }
  void set_leased(std::string_view amount) {
    ASSERT_TRUE(database().write()->execute("UPDATE user_wallets SET leased = ? WHERE user_id = ?",
                                            yuan(amount), kUser));
  }
  Money sum_of_entries() {
    return *database().read()->query_value<Money>("SELECT SUM(amount) FROM ledger_journal");
  }
  int64_t txns() {
    return *database().read()->query_value<int64_t>("SELECT COUNT(*) FROM ledger_txns");
  }
};
DEEPPOOL_EACH_DATABASE(LedgerTest);

TEST_P(LedgerTest, AMovementIsWrittenTwiceOverAndMovesTheWallet) {
  adjust("a", "12.3456789012");
  EXPECT_EQ(wallet().posted, yuan("12.3456789012"));
  adjust("b", "-2.0000000001");
  EXPECT_EQ(wallet().posted, yuan("10.3456789011"));
  EXPECT_EQ(sum_of_entries(), Money());
  EXPECT_EQ(wallet(base::UserId{8}).posted, Money());
  auto reader = database().read();
  EXPECT_EQ(*reader->query_value<Money>(
                "SELECT SUM(amount) FROM ledger_entries WHERE account = 'adjustment'"),
            yuan("-10.3456789011"));
}

TEST_P(LedgerTest, TheSameMovementTwiceIsOne) {
  adjust("a", "5");
  const Movement again{.about = "a", .user = kUser, .amount = yuan("5"), .other = "adjustment"};
  const auto second = post(again);
  ASSERT_TRUE(second);
  EXPECT_EQ(*second, Posted::before);
  EXPECT_EQ(wallet().posted, yuan("5"));
  Movement more = again;
  more.amount = yuan("5.0000000001");
  Movement of_another = again;
  of_another.user = base::UserId{8};
  for (const Movement& other : {more, of_another}) {
    const auto refused = post(other);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  }
  EXPECT_EQ(txns(), 1);
}

TEST_P(LedgerTest, NobodyTakesMoreThanIsLeft) {
  adjust("a", "10");
  set_leased("4");
  const Movement debit{
      .about = "b", .user = kUser, .amount = yuan("-6.0000000001"), .other = ledger::kAdjustment};
  const auto refused = post(debit);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::insufficient_quota);
  EXPECT_NE(refused.error().message.find("Only 6 yuan"), std::string::npos);
  EXPECT_EQ(txns(), 1);  // and nothing of it stays
  EXPECT_EQ(sum_of_entries(), Money());
  adjust("c", "-6");
  EXPECT_EQ(wallet().available(), Money());
}

TEST_P(LedgerTest, AnOverdraftIsWhatMayBeOwed) {
  ASSERT_TRUE(set_overdraft(true, "3"));
  adjust("a", "-3");
  EXPECT_EQ(wallet().posted, yuan("-3"));
  EXPECT_FALSE(post({.about = "b", .user = kUser, .amount = Money::units(-1), .other = "promo"}));
  ASSERT_TRUE(set_overdraft(false, "3"));  // owed already: nobody can take more
  EXPECT_EQ(wallet().available(), yuan("-3"));
  adjust("c", "1");
  EXPECT_EQ(wallet().posted, yuan("-2"));
}

TEST_P(LedgerTest, AnOverdraftInUseIsNotTakenBack) {
  ASSERT_TRUE(set_overdraft(true, "3"));
  set_leased("2");
  const auto refused = set_overdraft(true, "1.99");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_TRUE(set_overdraft(true, "2"));
}

TEST_P(LedgerTest, NoBalanceLeavesTheRangeOfMoney) {
  adjust("a", "922000000");
  const auto refused =
      post({.about = "b", .user = kUser, .amount = yuan("922000000"), .other = "adjustment"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_EQ(wallet().posted, yuan("922000000"));
}

TEST_P(LedgerTest, AStatementIsPagedAndFiltered) {
  for (int64_t i = 1; i <= 5; ++i) adjust("n" + std::to_string(i), "1", 100 * i);
  ASSERT_TRUE(post({.kind = Kind::topup,
                    .about = "wechat:1",
                    .user = kUser,
                    .amount = yuan("9"),
                    .other = ledger::kClearing,
                    .at_ms = 50}));
  ASSERT_TRUE(post({.about = "other",
                    .user = base::UserId{8},
                    .amount = yuan("1"),
                    .other = "adjustment",
                    .at_ms = 300}));
  auto reader = database().read();
  wallets::Search wanted{.to_ms = std::numeric_limits<int64_t>::max(), .limit = 2, .offset = 1};
  const auto page = *wallets::transactions(*reader, kUser, wanted);
  EXPECT_EQ(page.total, 6);
  ASSERT_EQ(page.transactions.size(), 2u);
  EXPECT_EQ(page.transactions[0].id, "adjust:n4");
  EXPECT_EQ(page.transactions[1].id, "adjust:n3");
  EXPECT_EQ(page.transactions[0].remark, "why");
  wanted = {.kind = Kind::topup, .to_ms = 51};
  const auto topups = *wallets::transactions(*reader, kUser, wanted);
  ASSERT_EQ(topups.total, 1);
  EXPECT_EQ(topups.transactions[0].amount, yuan("9"));
  wanted = {.from_ms = 200, .to_ms = 400};
  EXPECT_EQ(wallets::transactions(*reader, kUser, wanted)->total, 2);
}

TEST_P(LedgerTest, ChargesAreInTheStatementByTheirRequests) {
  UsageStore store(database(), base::RequestId{});
  std::vector<UsageRow> rows(4);
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i].request_id = base::RequestId::first_of(100 * static_cast<int64_t>(i + 1));
    rows[i].user = i == 3 ? base::UserId{8} : kUser;
    rows[i].key = base::ApiKeyId{1};
    rows[i].model = "model-a";
    rows[i].bill.charged = i == 1 ? Money() : yuan("0.0000000001");  // the second was free
  }
  ASSERT_TRUE(store.apply(rows, {}));
  adjust("a", "1", 150);
  auto reader = database().read();
  const wallets::Search all{.to_ms = std::numeric_limits<int64_t>::max()};
  const auto found = *wallets::transactions(*reader, kUser, all);
  EXPECT_EQ(found.total, 3);
  ASSERT_EQ(found.transactions.size(), 3u);
  EXPECT_EQ(found.transactions[0].id, "use:" + rows[2].request_id.to_string());
  EXPECT_EQ(found.transactions[0].amount, yuan("-0.0000000001"));
  EXPECT_EQ(found.transactions[0].ref, "model-a");
  EXPECT_EQ(found.transactions[1].id, "adjust:a");
  EXPECT_EQ(found.transactions[2].created_at_ms, 100);
  const wallets::Search second{.to_ms = all.to_ms, .limit = 1, .offset = 1};
  EXPECT_EQ(wallets::transactions(*reader, kUser, second)->transactions.at(0).id, "adjust:a");
  const wallets::Search uses{.kind = Kind::use, .from_ms = 101, .to_ms = 301};
  EXPECT_EQ(wallets::transactions(*reader, kUser, uses)->total, 1);
  const wallets::Search adjusted{.kind = Kind::adjust, .to_ms = all.to_ms};
  EXPECT_EQ(wallets::transactions(*reader, kUser, adjusted)->total, 1);
  // The views say the same to whoever reads the tables.
  EXPECT_EQ(*reader->query_value<int64_t>(
                "SELECT COUNT(*) FROM wallet_transactions WHERE user_id = ?", kUser),
            3);
  EXPECT_EQ(*reader->query_value<int64_t>(
                "SELECT COUNT(*) FROM ledger_journal WHERE txn_id = ? AND account = 'user:7'",
                found.transactions[0].id),
            1);
  EXPECT_EQ(sum_of_entries(), Money());
}

TEST(Accounts, OnlyTheKnownOnes) {
  for (const char* name : {"user:7", "device_payable:d1", "promo", "revenue", "provider_cost",
                           "platform_loss", "clearing", "adjustment"}) {
    EXPECT_TRUE(ledger::is_account(name)) << name;
  }
  for (const char* name : {"", "user:", "user", "revenues", "cash"}) {
    EXPECT_FALSE(ledger::is_account(name)) << name;
  }
  for (const Kind kind :
       {Kind::use, Kind::topup, Kind::grant, Kind::refund, Kind::payout, Kind::adjust}) {
    EXPECT_EQ(ledger::parse_kind(to_string(kind)), kind);
  }
}

}  // namespace
}  // namespace deeppool::governance
