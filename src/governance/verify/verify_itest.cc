// Right books pass; an error of one unit, planted anywhere, is found by the invariants that it
// breaks and by no others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <thread>

#include "governance/funds/lease_store.h"
#include "governance/verify/books.h"
#include "governance/verify/verify.h"
#include "testing/databases.h"

namespace deeppool::governance::verify {
namespace {

using ::testing::HasSubstr;
using enum Invariant;

std::set<Invariant> broken(const Report& report) {
  std::set<Invariant> out;
  for (size_t i = 0; i < kInvariants; ++i) {
    const auto invariant = static_cast<Invariant>(i);
    if (report.of(invariant).broken > 0) out.insert(invariant);
  }
  return out;
}

class VerifyTest : public testing::DatabaseTest {
 protected:
  // `unit` in a statement is the smallest amount.
  void plant(sql::Database& database, std::string statement) {
    const std::string unit = database.engine() == sql::Engine::sqlite ? "1" : "0.0000000001";
    for (size_t at = statement.find("unit"); at != std::string::npos; at = statement.find("unit")) {
      statement.replace(at, 4, unit);
    }
    const auto done = database.write()->connection().run_plain(statement);
    ASSERT_TRUE(done) << statement << ": " << done.error().detail;
  }
  Report check(sql::Database& database) {
    auto report = verify(database);
    EXPECT_TRUE(report) << report.error().detail;
    return *std::move(report);
  }
};
DEEPPOOL_EACH_DATABASE(VerifyTest);

TEST_P(VerifyTest, RightBooksPass) {
  Books books(database());
  books.add_requests(1, 60);
  books.move(ledger::Kind::refund, "topup:wechat:1:1", "-40", ledger::kClearing);
  const Report report = check(database());
  EXPECT_TRUE(report.clean()) << report.text();
  EXPECT_EQ(report.of(txns_balance).checked, 2);
  EXPECT_EQ(report.of(books_balance).checked, 4 + 2 * 48);
  EXPECT_EQ(report.of(prices).checked, 60);
  EXPECT_EQ(report.of(usage_posted).checked, 48);
  EXPECT_TRUE(report.of(journal).skipped);
  for (const Invariant i : {wallets, leases, payments, accepted, quotas, stale_leases}) {
    EXPECT_GT(report.of(i).checked, 0) << title(i);
  }
}

TEST_P(VerifyTest, EmptyBooksPass) {
  EXPECT_TRUE(check(database()).clean());
}

const std::string kTxn = "txn_id = 'topup:wechat:1'";
// Request 1, which is charged and uses no grant.
const std::string kRequest = "request_id = x'00000000000000011111111111111111'";

struct Plant {
  std::vector<std::string> statements;
  std::set<Invariant> found_by;
};

std::vector<Plant> plants_in_sums() {
  return {
      {{"UPDATE api_keys SET quota_used = quota_used + 1 WHERE id = 2"}, {quotas}},
      {{"UPDATE token_usage_daily SET prompt_tokens = prompt_tokens - 1 WHERE key_id = 1"},
       {quotas}},
      {{"UPDATE token_usage_daily SET charged = charged + unit WHERE key_id = 1"}, {quotas}},
      {{"UPDATE token_usage_daily SET requests = requests + 1 WHERE key_id = 1"}, {quotas}},
      {{"UPDATE api_keys SET charged = charged + unit WHERE id = 2"}, {quotas}},
      {{"UPDATE token_usage_daily_totals SET cached_tokens = cached_tokens + 1 WHERE model_name ="
        " 'model-b'"},
       {quotas}},
      {{"UPDATE token_usage_daily_totals SET day = day + 1"}, {quotas}},
      // One more in every sum, and in no request.
      {{"UPDATE token_usage_daily SET cached_tokens = cached_tokens + 1 WHERE key_id = 2 AND"
        " model_name = 'model-b'",
        "UPDATE token_usage_daily_totals SET cached_tokens = cached_tokens + 1 WHERE model_name ="
        " 'model-b'",
        "UPDATE token_usage_daily_keys SET cached_tokens = cached_tokens + 1 WHERE key_id = 2",
        "UPDATE token_usage_weekly_keys SET cached_tokens = cached_tokens + 1 WHERE key_id = 2"},
       {quotas}},
      {{"UPDATE usage_records SET reasoning_tokens = reasoning_tokens + 1 WHERE " + kRequest},
       {quotas}},
      {{"UPDATE usage_records SET model_name = 'model-c' WHERE charged > 0"}, {quotas}},
      {{"UPDATE usage_records SET started_at = started_at + 86400000 WHERE " + kRequest}, {quotas}},
      // What one used, another is said to have.
      {{"UPDATE token_grant_uses SET request_id = x'00000000000000051111111111111111' WHERE"
        " request_id = x'00000000000000041111111111111111'"},
       {quotas}},
      {{"DELETE FROM token_usage_daily_keys WHERE key_id = 2"}, {quotas}},
      {{"UPDATE token_usage_daily_keys SET charged = charged - unit WHERE key_id = 1"}, {quotas}},
      {{"UPDATE token_usage_weekly_keys SET completion_tokens = completion_tokens - 1 WHERE"
        " key_id = 2"},
       {quotas}},
      {{"UPDATE token_usage_weekly_keys SET user_id = 2 WHERE key_id = 1"}, {quotas}},
      {{"UPDATE token_grants SET tokens_used = tokens_used + 1"}, {quotas}},
      {{"UPDATE token_grant_uses SET tokens = tokens + 1 WHERE request_id ="
        " x'00000000000000041111111111111111'"},
       {quotas}},
  };
}

std::vector<Plant> plants() {
  const std::string entry = "UPDATE ledger_entries SET amount = amount ";
  return {
      {{entry + "+ unit WHERE account = 'clearing' AND " + kTxn}, {txns_balance, books_balance}},
      {{entry + "+ unit WHERE account = 'user:1' AND " + kTxn},
       {txns_balance, books_balance, wallets}},
      {{"DELETE FROM ledger_txns WHERE " + kTxn}, {txns_balance}},
      {{"DELETE FROM ledger_entries WHERE " + kTxn}, {txns_balance, wallets, payments}},
      {{"UPDATE ledger_txns SET kind = 'adjust' WHERE " + kTxn}, {txns_balance}},
      {{"UPDATE ledger_entries SET user_id = 2 WHERE account = 'user:1' AND " + kTxn}, {wallets}},
      {{"UPDATE ledger_entries SET account = 'cash' WHERE account = 'clearing' AND " + kTxn},
       {wallets}},
      {{"UPDATE user_wallets SET posted = posted - unit"}, {wallets}},
      {{"UPDATE user_wallets SET leased = leased + unit"}, {leases}},
      {{"UPDATE api_keys SET quota_leased = quota_leased + 1 WHERE id = 2"}, {leases}},
      {{"UPDATE token_grants SET tokens_leased = tokens_leased - 1"}, {leases}},
      {{"UPDATE fund_leases SET amount = amount + 1 WHERE kind = 'wallet'"}, {leases}},
      {{"INSERT INTO fund_leases (kind, fund_id, instance, amount, expires_at) VALUES ('wallet',"
        " 9, 'x', -1, 0)"},
       {leases}},
      {{"UPDATE token_grants SET tokens_total = tokens_used + tokens_leased - 1"}, {leases}},
      {{"UPDATE api_keys SET quota_total = quota_used + quota_leased - 1 WHERE id = 2"}, {leases}},
      {{"UPDATE token_grants SET exceeded = exceeded + 1"}, {leases}},
      // Debts are no excuse for a lease of what is not there.
      {{"UPDATE user_wallets SET exceeded = 100000000000 * unit, leased = leased + 5000000000 * "
        "unit",
        "UPDATE fund_leases SET amount = amount + 5000000000 WHERE kind = 'wallet'"},
       {leases}},
      {{"UPDATE usage_records SET charged = charged + unit WHERE " + kRequest},
       {wallets, prices, quotas}},
      {{"UPDATE usage_records SET charged = 0 - charged WHERE " + kRequest},
       {usage_posted, wallets, prices, quotas}},
      {{"UPDATE usage_records SET user_id = 2 WHERE " + kRequest}, {wallets, quotas}},
      {{"DELETE FROM usage_records WHERE " + kRequest}, {wallets, quotas}},
      // What the usage row says already, said by the ledger's own tables too.
      {{"INSERT INTO ledger_txns (txn_id, kind, created_at) VALUES ('use:1', 'use', 0)",
        "INSERT INTO ledger_entries (txn_id, account, user_id, amount, created_at) VALUES"
        " ('use:1', 'user:1', 1, 0 - unit, 0), ('use:1', 'revenue', NULL, unit, 0)"},
       {usage_posted, wallets}},
      {{"UPDATE usage_records SET held_tokens = NULL WHERE " + kRequest}, {accepted}},
      {{"INSERT INTO ledger_entries (txn_id, account, amount, created_at) SELECT txn_id,"
        " 'device_payable:d', unit, 0 FROM ledger_entries WHERE account = 'clearing' AND " +
            kTxn,
        entry + "- unit WHERE account = 'clearing' AND " + kTxn},
       {payables}},
      {{"UPDATE fund_leases SET expires_at = expires_at - 3660001 WHERE kind = 'grant'"},
       {stale_leases}},
      // A wrong charge that all books agree about.
      {{"UPDATE usage_records SET charged = charged + unit WHERE " + kRequest,
        "UPDATE user_wallets SET posted = posted - unit",
        "UPDATE api_keys SET charged = charged + unit WHERE id = 2",
        "UPDATE token_usage_daily SET charged = charged + unit WHERE key_id = 2 AND model_name ="
        " 'model-b'",
        "UPDATE token_usage_daily_totals SET charged = charged + unit WHERE model_name = 'model-b'",
        "UPDATE token_usage_daily_keys SET charged = charged + unit WHERE key_id = 2",
        "UPDATE token_usage_weekly_keys SET charged = charged + unit WHERE key_id = 2"},
       {prices}},
      {{"UPDATE usage_records SET prompt_tokens = prompt_tokens + 1, completion_tokens ="
        " completion_tokens - 1 WHERE " +
        kRequest},
       {prices, quotas}},
      {{"UPDATE usage_records SET discount_ppm = 1 WHERE " + kRequest}, {prices}},
      {{"UPDATE usage_records SET price_id = NULL WHERE " + kRequest}, {prices}},
      {{"UPDATE price_snapshots SET tiers = '[]'"}, {prices}},
  };
}

TEST_P(VerifyTest, AnErrorOfOneUnitIsFoundWhereItIs) {
  std::vector<Plant> all = plants();
  std::ranges::move(plants_in_sums(), std::back_inserter(all));
  for (const Plant& planted : all) {
    testing::TemporaryDatabase temporary(GetParam());
    sql::Database& store = temporary.database();
    Books(store).add_requests(1, 20);
    for (const std::string& statement : planted.statements) plant(store, statement);
    const Report report = check(store);
    EXPECT_EQ(broken(report), planted.found_by) << planted.statements.front() << "\n"
                                                << report.text();
  }
}

// Its upstream sent more than a request had held; meanwhile the first instance has leased the rest.
TEST_P(VerifyTest, ADebtThatAnInstanceRepaysIsNoLeaseOfWhatIsNotThere) {
  Books books(database());
  SqlLeaseStore other(database(), request_of(77));
  ASSERT_TRUE(other.claim());
  const base::Money rest = *base::Money::parse("100"), debt = *base::Money::parse("150");
  const LeaseOrder orders[] = {
      {.fund = {FundKind::wallet, 1}, .least = rest.units(), .wanted = rest.units(), .sequence = 1},
      {.fund = {FundKind::wallet, 1}, .returning = -debt.units(), .sequence = 2}};
  for (const LeaseOrder& order : orders) {
    LeaseFill fill;
    ASSERT_EQ(other.exchange({&order, 1}, {&fill, 1}).landing, Landing::done);
  }
  const Report report = check(database());
  EXPECT_TRUE(report.clean()) << report.text();
  plant(database(), "UPDATE user_wallets SET leased = leased + unit");
  plant(database(),
        "UPDATE fund_leases SET amount = amount + 1 WHERE kind = 'wallet' AND fund_id = 1"
        " AND amount > 0 AND instance = '" +
            base::RequestId{}.to_string() + "'");
  EXPECT_EQ(broken(check(database())), std::set{leases});
}

TEST_P(VerifyTest, ARefundOfMoreThanWasPaidIsFound) {
  Books books(database());
  books.move(ledger::Kind::topup, "wechat:2", "500", ledger::kClearing);
  books.move(ledger::Kind::refund, "topup:wechat:2:1", "-300", ledger::kClearing);
  books.move(ledger::Kind::refund, "topup:wechat:2:2", "-200", ledger::kClearing);
  EXPECT_TRUE(check(database()).clean());
  books.move(ledger::Kind::refund, "topup:wechat:2:3", "-0.0000000001", ledger::kClearing);
  EXPECT_EQ(broken(check(database())), std::set{payments});
}

TEST_P(VerifyTest, ATopUpThatTakesIsFound) {
  Books books(database());
  books.move(ledger::Kind::topup, "wechat:2", "-1", ledger::kClearing);
  EXPECT_EQ(broken(check(database())), std::set{payments});
}

TEST_P(VerifyTest, AJournalIsHeldAgainstUsage) {
  Books books(database());
  books.add_requests(1, 3);
  const auto with = [&](const std::string& text) {
    std::istringstream lines(text);
    return verify(database(), {.journal = &lines});
  };
  const std::string one = request_of(1).to_string();
  EXPECT_TRUE(with(one + " 1001 11\n" + request_of(2).to_string() + " 1002 12\n")->clean());
  for (const std::string& line :
       {one + " 1001 12\n", one + " 1000 11\n", request_of(9).to_string() + " 1 1\n"}) {
    const auto report = with(line);
    EXPECT_EQ(broken(*report), std::set{journal}) << line;
    EXPECT_EQ(report->of(journal).checked, 1);
  }
  EXPECT_EQ(with(one + " many\n").error().code, ErrorCode::invalid_request);
}

TEST_P(VerifyTest, ManyChunksAreOneBook) {
  Books books(database());
  constexpr int64_t kRequests = 20'000;  // more than two chunks
  for (int64_t n = 0; n < kRequests; n += 1000) books.add_requests(n, 1000);
  const Report report = check(database());
  EXPECT_TRUE(report.clean()) << report.text();
  EXPECT_EQ(report.of(usage_posted).checked, kRequests * 4 / 5);
  plant(database(), "UPDATE usage_records SET charged = charged + unit WHERE charged > 0");
  const Report all = check(database());
  EXPECT_EQ(all.of(wallets).broken, 1);
  EXPECT_EQ(all.of(prices).offenders.size(), 10u);
  EXPECT_THAT(all.text(), HasSubstr("and 15990 more"));
}

TEST_P(VerifyTest, ALiveSystemIsSeenInOneState) {
  Books books(database());
  std::jthread traffic([&](const std::stop_token& stop) {
    for (int64_t n = 1; n < 4000 && !stop.stop_requested(); n += 50) books.add_requests(n, 50);
  });
  for (int i = 0; i < 10; ++i) {
    const Report report = check(database());
    EXPECT_TRUE(report.clean()) << report.text();
  }
}

}  // namespace
}  // namespace deeppool::governance::verify
