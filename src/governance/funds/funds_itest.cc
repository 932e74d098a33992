// Leases against real tables, on every engine; several instances where an engine has several.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "base/random.h"
#include "governance/discounts/discount_store.h"
#include "governance/funds/fund_world.h"
#include "governance/funds/lease_store.h"
#include "governance/funds/limits.h"
#include "governance/grants/grant_store.h"
#include "governance/ledger/wallet_store.h"
#include "sql/transaction.h"
#include "testing/databases.h"

namespace deeppool::governance {
namespace {

using base::Money;

constexpr base::UserId kUser{1};
constexpr base::ApiKeyId kKey{1};
constexpr FundId kQuota{FundKind::quota, 1};
constexpr FundId kGrant{FundKind::grant, 1};
constexpr FundId kWallet{FundKind::wallet, 1};

base::RequestId instance(uint8_t number) {
  base::RequestId id;
  id.bytes[0] = number;
  return id;
}

void run(sql::Database& database, const std::function<Result<void>(sql::Writer&)>& work) {
  const auto done = sql::run_transaction(database, work);
  ASSERT_TRUE(done.ok()) << done.error().message << " " << done.error().detail;
}

// A user with a key (quota 1000), a grant of 500 tokens and 1 yuan, overdraft 0.5.
void fill(sql::Database& database) {
  run(database, [](sql::Writer& tx) -> Result<void> {
    DP_CHECK(
        tx.execute("INSERT INTO users (id, username, password_hash, created_at, updated_at)"
                   " VALUES (1, 'u', 'x', 0, 0)"));
    DP_CHECK(
        tx.execute("INSERT INTO api_keys (id, user_id, name, key_hash, key_prefix, key_sealed,"
                   " quota_total, allowed_models, created_at, updated_at)"
                   " VALUES (1, 1, 'k', ?, 'dp-', ?, 1000, '[]', 0, 0)",
                   sql::Blob{"h"}, sql::Blob{"h"}));
    DP_CHECK(
        tx.execute("INSERT INTO token_grants (id, user_id, tokens_total, created_at)"
                   " VALUES (1, 1, 500, 0)"));
    DP_CHECK(
        tx.execute("INSERT INTO user_wallets (user_id, posted, allow_overdraft, max_overdraft,"
                   " updated_at) VALUES (1, ?, 1, ?, 0)",
                   Money::units(10'000'000'000), Money::units(5'000'000'000)));
    return {};
  });
}

// What of each fund the tables say is leased, after checking it against the leases.
struct Leased {
  int64_t quota = 0, grant = 0, wallet = 0;
};
Leased leased(sql::Database& database) {
  Leased out;
  auto reader = database.read();
  EXPECT_TRUE(reader.ok());
  out.quota = *reader->query_value<int64_t>("SELECT quota_leased FROM api_keys WHERE id = 1");
  out.grant = *reader->query_value<int64_t>("SELECT tokens_leased FROM token_grants WHERE id = 1");
  out.wallet =
      reader->query_value<Money>("SELECT leased FROM user_wallets WHERE user_id = 1")->units();
  const auto sum = [&](std::string_view kind) {
    const auto amounts =
        reader->query<int64_t>("SELECT amount FROM fund_leases WHERE kind = ?", kind);
    int64_t total = 0;
    for (const int64_t amount : *amounts) total += amount;
    return total;
  };
  EXPECT_EQ(out.quota, sum("quota"));
  EXPECT_EQ(out.grant, sum("grant"));
  EXPECT_EQ(out.wallet, sum("wallet"));
  return out;
}

// As the applier posts it.
void post(sql::Database& database, const base::RequestId& at, FundId fund, int64_t amount) {
  run(database, [&](sql::Writer& tx) -> Result<void> {
    if (fund.kind == FundKind::wallet) {
      const Money money = Money::units(amount);
      DP_CHECK(
          tx.execute("UPDATE user_wallets SET posted = posted - {money},"
                     " leased = leased - {money} WHERE user_id = ?",
                     money, money, fund.id));
    } else {
      DP_CHECK(
          tx.execute("UPDATE api_keys SET quota_used = quota_used + ?,"
                     " quota_leased = quota_leased - ? WHERE id = ?",
                     amount, amount, fund.id));
    }
    DP_CHECK(
        tx.execute("UPDATE fund_leases SET amount = amount - ? WHERE kind = ? AND fund_id = ?"
                   " AND instance = ?",
                   amount, to_string(fund.kind), fund.id, at.to_string()));
    return {};
  });
}

class LeaseStoreTest : public testing::DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (IsSkipped()) return;
    fill(database());
    ASSERT_TRUE(store_.emplace(database(), instance(1)).claim().ok());
  }
  LeaseFill order(const LeaseOrder& wanted) {
    LeaseFill fill;
    const auto done = store_->exchange({&wanted, 1}, {&fill, 1});
    EXPECT_EQ(done.landing, Landing::done) << (done.error ? done.error->detail : "");
    return fill;
  }
  bool alone() { return database().engine() == sql::Engine::sqlite; }  // it has one process
  std::optional<SqlLeaseStore> store_;
};
DEEPPOOL_EACH_DATABASE(LeaseStoreTest);

TEST_P(LeaseStoreTest, TakesWhatIsThereAndGivesItBack) {
  const LeaseFill quota = order({.fund = kQuota, .least = 10, .wanted = 10, .sequence = 1});
  EXPECT_EQ(quota.taken, 125);  // large against 10: an eighth
  EXPECT_EQ(quota.available, 1000 - quota.taken);
  const LeaseFill grant = order({.fund = kGrant, .least = 1, .wanted = 100, .sequence = 1});
  EXPECT_EQ(grant.taken, 100);
  const LeaseFill wallet =
      order({.fund = kWallet, .least = 15'000'000'000, .wanted = 15'000'000'000, .sequence = 1});
  EXPECT_EQ(wallet.taken, 15'000'000'000);
  EXPECT_EQ(wallet.available, 0);
  EXPECT_EQ(leased(database()).wallet, 15'000'000'000);
  EXPECT_EQ(order({.fund = kWallet, .least = 1, .wanted = 1, .sequence = 2}).taken, 0);
  order({.fund = kWallet, .returning = 15'000'000'000, .sequence = 3});
  order({.fund = kQuota, .returning = quota.taken, .sequence = 2});
  const Leased now = leased(database());
  EXPECT_EQ(now.wallet, 0);
  EXPECT_EQ(now.quota, 0);
  EXPECT_EQ(now.grant, grant.taken);
}

TEST_P(LeaseStoreTest, TakesNothingBelowTheLeastAndNothingOfWhatIsNotThere) {
  EXPECT_EQ(order({.fund = kQuota, .least = 1001, .wanted = 2000, .sequence = 1}).taken, 0);
  EXPECT_EQ(order({.fund = kQuota, .least = 900, .wanted = 2000, .sequence = 2}).taken, 1000);
  const FundId nobody{FundKind::wallet, 99};
  const LeaseFill none = order({.fund = nobody, .least = 1, .wanted = 1, .sequence = 1});
  EXPECT_EQ(none.taken, 0);
  EXPECT_EQ(none.available, 0);
  auto reader = database().read();
  EXPECT_EQ(*reader->query_value<int64_t>("SELECT COUNT(*) FROM fund_leases"), 1);
}

TEST_P(LeaseStoreTest, ARecalledWalletLeasesJustWhatIsAsked) {
  run(database(), [](sql::Writer& tx) { return wallets::recall(tx, kUser); });
  EXPECT_EQ(order({.fund = kWallet, .least = 5, .wanted = 7, .sequence = 1}).taken, 7);
  run(database(), [](sql::Writer& tx) -> Result<void> {
    DP_CHECK(tx.execute("UPDATE user_wallets SET recalled_until = {now_ms} - 1"));
    return {};
  });
  EXPECT_GT(order({.fund = kWallet, .least = 5, .wanted = 7, .sequence = 2}).taken, 7);
}

// A request that free tokens were to cover cost more than it held.
TEST_P(LeaseStoreTest, ADebtOfAUserWithoutAWalletIsKeptUntilItIsPosted) {
  const FundId nobody{FundKind::wallet, 99};
  order({.fund = nobody, .returning = -70, .sequence = 1});
  auto reader = database().read();
  const auto leased_there =
      reader->query_one<Money>("SELECT leased FROM user_wallets WHERE user_id = 99");
  ASSERT_TRUE(leased_there.ok() && *leased_there);
  EXPECT_EQ(**leased_there, Money::units(70));
  EXPECT_EQ(*reader->query_value<int64_t>("SELECT amount FROM fund_leases WHERE fund_id = 99"), 70);
}

TEST_P(LeaseStoreTest, ARevokedOrExpiredGrantGivesNothing) {
  run(database(), [](sql::Writer& tx) -> Result<void> {
    DP_CHECK(tx.execute("UPDATE token_grants SET expires_at = {now_ms} - 1 WHERE id = 1"));
    return {};
  });
  const LeaseFill fill = order({.fund = kGrant, .least = 1, .wanted = 1, .sequence = 1});
  EXPECT_EQ(fill.taken, 0);
  EXPECT_TRUE(fill.spent);
}

TEST_P(LeaseStoreTest, ALiftedQuotaLeasesJustWhatIsAsked) {
  run(database(), [](sql::Writer& tx) -> Result<void> {
    DP_CHECK(tx.execute("UPDATE api_keys SET quota_total = -1 WHERE id = 1"));
    return {};
  });
  EXPECT_EQ(order({.fund = kQuota, .least = 10, .wanted = 30, .sequence = 1}).taken, 30);
  EXPECT_EQ(leased(database()).quota, 30);
}

TEST_P(LeaseStoreTest, AnOrderInDoubtIsFoundAgainByItsSequence) {
  order({.fund = kQuota, .least = 10, .wanted = 10, .sequence = 7});
  EXPECT_TRUE(
      order({.fund = kQuota, .returning = 1, .sequence = 8, .doubtful = 7}).doubtful_landed);
  EXPECT_FALSE(order({.fund = kQuota, .sequence = 9, .doubtful = 7}).doubtful_landed);
}

// Its connection was lost, and the server commits it while the next one already asks.
TEST_P(LeaseStoreTest, AnOrderInDoubtIsWaitedForUntilItHasLanded) {
  std::future<LeaseFill> next;
  {
    auto writer = database().write();
    auto tx = sql::Transaction::begin(*writer);
    ASSERT_TRUE(writer->execute("UPDATE api_keys SET quota_leased = 10 WHERE id = 1"));
    ASSERT_TRUE(
        writer->execute("INSERT INTO fund_leases (kind, fund_id, instance, amount,"
                        " expires_at, sequence) VALUES ('quota', 1, ?, 10, 0, 7)",
                        instance(1).to_string()));
    next = std::async(std::launch::async, [&] {
      return order({.fund = kQuota, .returning = 10, .sequence = 8, .doubtful = 7});
    });
    next.wait_for(std::chrono::milliseconds(300));  // time to be wrong in
    ASSERT_TRUE(tx->commit());
  }
  EXPECT_TRUE(next.get().doubtful_landed);
  EXPECT_EQ(leased(database()).quota, 0);
}

// What a debt takes beyond what is there is noted until it is there again.
TEST_P(LeaseStoreTest, DebtsAreNotedAsLongAsTheyAreOwed) {
  const auto noted = [&](FundId fund) -> int64_t {
    auto reader = database().read();
    if (fund.kind == FundKind::wallet) {
      return reader->query_value<Money>("SELECT exceeded FROM user_wallets")->units();
    }
    return *(fund.kind == FundKind::quota
                 ? reader->query_value<int64_t>("SELECT quota_exceeded FROM api_keys")
                 : reader->query_value<int64_t>("SELECT exceeded FROM token_grants"));
  };
  struct Case {
    FundId fund;
    int64_t total;
  };
  for (const Case& c : {Case{kQuota, 1000}, Case{kGrant, 500}, Case{kWallet, 15'000'000'000}}) {
    const auto kind = to_string(c.fund.kind);
    order({.fund = c.fund, .returning = -c.total, .sequence = 1});
    EXPECT_EQ(noted(c.fund), 0) << kind;  // all of it was there
    order({.fund = c.fund, .returning = -30, .sequence = 2});
    EXPECT_EQ(noted(c.fund), 30) << kind;
    order({.fund = c.fund, .returning = 10, .sequence = 3});
    EXPECT_EQ(noted(c.fund), 20) << kind;
  }
  post(database(), instance(1), kWallet, 16);
  post(database(), instance(1), kQuota, 1020);
  EXPECT_EQ(noted(kWallet), 20);
  const auto top_up = [&](int64_t units) {
    run(database(),
        [&](sql::Writer& tx) { return wallets::move(tx, kUser, Money::units(units), 0); });
  };
  top_up(15);
  EXPECT_EQ(noted(kWallet), 5);
  top_up(100);
  EXPECT_EQ(noted(kWallet), 0);
  EXPECT_EQ(noted(kQuota), 20);
}

TEST_P(LeaseStoreTest, ANewRunGivesBackWhatTheOldOneLeasedAndFencesItOff) {
  order({.fund = kQuota, .least = 10, .wanted = 10, .sequence = 1});
  order({.fund = kWallet, .least = 10, .wanted = 10, .sequence = 1});
  SqlLeaseStore next(database(), instance(1));
  ASSERT_TRUE(next.claim().ok());
  const Leased now = leased(database());
  EXPECT_EQ(now.quota + now.wallet, 0);
  LeaseFill fill;
  const LeaseOrder late{.fund = kQuota, .least = 10, .wanted = 10, .sequence = 2};
  EXPECT_EQ(store_->exchange({&late, 1}, {&fill, 1}).landing, Landing::failed);
  EXPECT_EQ(store_->renew().error().code, ErrorCode::permission_denied);
  EXPECT_FALSE(store_->release().ok());
  EXPECT_TRUE(next.renew().ok());
  EXPECT_TRUE(next.release().ok());
}

Result<int64_t> reclaim(sql::Database& database, const std::string& id) {
  return sql::run_transaction(database, [&](sql::Writer& tx) { return reclaim_instance(tx, id); });
}

// Somebody raises the epoch; an exchange that asks meanwhile must not go by the old one.
TEST_P(LeaseStoreTest, AnExchangeWaitsForWhoRaisesTheEpoch) {
  std::future<Landing> late;
  {
    auto writer = database().write();
    auto tx = sql::Transaction::begin(*writer);
    ASSERT_TRUE(writer->execute("UPDATE instances SET epoch = epoch + 1"));
    late = std::async(std::launch::async, [&] {
      LeaseFill fill;
      const LeaseOrder order{.fund = kQuota, .least = 10, .wanted = 10, .sequence = 1};
      return store_->exchange({&order, 1}, {&fill, 1}).landing;
    });
    late.wait_for(std::chrono::milliseconds(300));  // time to be wrong in
    ASSERT_TRUE(tx->commit());
  }
  EXPECT_EQ(late.get(), Landing::failed);
  EXPECT_EQ(leased(database()).quota, 0);
}

TEST_P(LeaseStoreTest, AnInstanceIsReclaimedOnlyWhenItsLeasesHaveLapsed) {
  order({.fund = kWallet, .least = 10, .wanted = 10, .sequence = 1});
  const std::string id = instance(1).to_string();
  EXPECT_EQ(reclaim(database(), id).error().code, ErrorCode::conflict);
  EXPECT_EQ(reclaim(database(), "x").error().code, ErrorCode::not_found);
  run(database(), [](sql::Writer& tx) -> Result<void> {
    DP_CHECK(tx.execute("UPDATE instances SET seen_at = {now_ms} - ?",
                        (kLeaseLife + kReclaimGrace).count() + 1000));
    return {};
  });
  auto reader = database().read();
  const auto list = list_instances(*reader);
  ASSERT_TRUE(list.ok()) << list.error().detail;
  ASSERT_EQ(list->size(), 1u);
  EXPECT_TRUE(list->front().lapsed);
  EXPECT_EQ(list->front().leases, 1);
  ASSERT_EQ(*reclaim(database(), id), 1);
  EXPECT_EQ(leased(database()).wallet, 0);
  EXPECT_EQ(store_->renew().error().code, ErrorCode::permission_denied);
}

TEST_P(LeaseStoreTest, ReadsTheTermsInForce) {
  run(database(), [](sql::Writer& tx) -> Result<void> {
    DP_CHECK(
        tx.execute("INSERT INTO token_grants (id, user_id, tokens_total, expires_at,"
                   " created_at) VALUES (2, 1, 5, {now_ms} + 60000, 0),"
                   " (3, 1, 5, {now_ms} - 1, 0)"));
    DP_CHECK(
        tx.execute("INSERT INTO token_grants (id, user_id, tokens_total, tokens_used,"
                   " created_at) VALUES (4, 1, 5, 5, 0)"));
    DP_CHECK(
        tx.execute("INSERT INTO discounts (user_id, discount_ppm, starts_at, ends_at,"
                   " created_at) VALUES (1, 100000, 0, NULL, 0), (NULL, 200000, 0,"
                   " {now_ms} + 60000, 0), (1, 300000, 0, {now_ms} - 1, 0)"));
    return {};
  });
  auto reader = database().read();
  const auto terms = load_terms(*reader);
  ASSERT_TRUE(terms.ok()) << terms.error().detail;
  const UserTerms& own = (*terms)->of(kUser);
  ASSERT_EQ(own.grants.size(), 2u);
  EXPECT_EQ(own.grants[0].id, base::GrantId{2});
  EXPECT_EQ(own.grants[1].expires_at_ms, kNever);
  EXPECT_EQ(own.overdraft, Money::units(5'000'000'000));
  EXPECT_EQ(own.recalled_until_ms, 0);
  const int64_t now = base::unix_ms(base::SystemClock().wall());
  EXPECT_EQ((*terms)->discount_ppm(own, now), 200'000);
  EXPECT_EQ((*terms)->discount_ppm((*terms)->of(base::UserId{2}), now + 120'000), 0);
}

TEST_P(LeaseStoreTest, TermsSayWhenTheyHaveChanged) {
  auto reader = database().read();
  const auto version = [&] { return *terms_version(*reader); };
  int64_t before = version();
  const std::function<Result<void>(sql::Writer&)> changes[] = {
      [](sql::Writer& tx) { return wallets::recall(tx, kUser); },
      [](sql::Writer& tx) { return wallets::set_overdraft(tx, kUser, {}, 0); },
      [](sql::Writer& tx) -> Result<void> {
        DP_TRY(
            const auto grant,
            grants::create(
                tx,
                {.user = kUser, .tokens = 1, .expires_at_ms = {}, .remark = {}, .created_by = {}}));
        DP_CHECK(grants::revoke(tx, grant, 1));
        return {};
      },
      [](sql::Writer& tx) -> Result<void> {
        DP_TRY(
            const auto discount,
            discounts::create(
                tx, {.user = kUser, .ppm = 1, .ends_at_ms = {}, .remark = {}, .created_by = {}}));
        DP_CHECK(discounts::revoke(tx, discount, 1));
        return {};
      },
  };
  for (const auto& change : changes) {
    run(database(), change);
    EXPECT_GT(version(), before);
    before = version();
  }
  const auto terms = load_terms(*reader);
  EXPECT_EQ((*terms)->version, before);
  EXPECT_GT((*terms)->of(kUser).recalled_until_ms, 0);
}

// One instance of many: its book, and what it settled but the tables do not have yet.
struct Node {
  Node(sql::Database& db, uint8_t number)
      : id(instance(number)), database(db), store(db, id), book(store, clock) {
    EXPECT_TRUE(store.claim().ok());
  }
  void apply() {
    for (const auto& [fund, amount] : spool) post(database, id, fund, amount);
    spool.clear();
  }
  base::SystemClock clock;
  base::RequestId id;
  sql::Database& database;
  SqlLeaseStore store;
  FundBook book;
  std::vector<std::pair<FundId, int64_t>> spool;
};

// Requests of 10 tokens for 0.1 yuan each, until both run dry; the process dies now and then.
int64_t spend_all(sql::Database& database, uint8_t number, std::atomic<bool>& below) {
  base::SystemRandom random;
  auto node = std::make_unique<Node>(database, number);
  int64_t spent = 0;
  const Demand demand{.user = kUser,
                      .key = kKey,
                      .quota_total = 1000,
                      .tokens = 10,
                      .cost = Money::units(100'000'000)};
  for (int round = 0; round < 60; ++round) {
    {
      Hold hold;
      if (cover(node->book, hold, demand).ok()) {
        const int64_t units = 1 + static_cast<int64_t>(random.next_unit() * 99'999'999);
        hold.settle(10, Money::units(units));
        node->spool.emplace_back(kQuota, 10);
        node->spool.emplace_back(kWallet, units);
        spent += 10;
      }
    }
    const double dice = random.next_unit();
    if (dice < 0.3) node->apply();
    if (dice > 0.7) node->book.return_idle(node->clock.now());
    if (dice > 0.9) {
      node->apply();
      node = std::make_unique<Node>(database, number);
    }
    auto reader = database.read();
    const auto left = reader->query_value<int64_t>(
        "SELECT CASE WHEN posted + max_overdraft >= 0 AND posted + max_overdraft - leased >= 0"
        " THEN 1 ELSE 0 END FROM user_wallets WHERE user_id = 1");
    if (!left || *left == 0) below = true;
  }
  node->apply();
  EXPECT_TRUE(node->store.release().ok());
  return spent;
}

TEST_P(LeaseStoreTest, InstancesThatDieAndComeBackNeverSpendMoreThanThereIs) {
  const int nodes = alone() ? 1 : 3;
  std::vector<std::unique_ptr<sql::Database>> databases;
  std::atomic<int64_t> spent{0};
  std::atomic<bool> below{false};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < nodes; ++i) {
      databases.push_back(alone() ? nullptr : temporary().open_again());
      sql::Database& own = alone() ? database() : *databases.back();
      threads.emplace_back([&own, i, &spent, &below] {
        spent += spend_all(own, static_cast<uint8_t>(10 + i), below);
      });
    }
  }
  EXPECT_FALSE(below);
  EXPECT_LE(spent, 1000);
  const Leased now = leased(database());
  EXPECT_EQ(now.quota + now.wallet, 0);
  auto reader = database().read();
  EXPECT_EQ(*reader->query_value<int64_t>("SELECT quota_used FROM api_keys WHERE id = 1"), spent);
}

}  // namespace
}  // namespace deeppool::governance
