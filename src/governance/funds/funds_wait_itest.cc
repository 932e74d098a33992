// Requests that wait for refills: on real loops, over a real store.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "async/task_group.h"
#include "governance/funds/funds.h"
#include "governance/funds/limits.h"
#include "testing/databases.h"
#include "testing/fake_clock.h"

namespace deeppool::governance {
namespace {

using std::chrono::milliseconds;

constexpr base::UserId kUser{1};
constexpr int64_t kBalance = 1000;

class FundsTest : public testing::DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (IsSkipped()) return;
    auto writer = database().write();
    ASSERT_TRUE(writer
                    ->execute("INSERT INTO user_wallets (user_id, posted, updated_at)"
                              " VALUES (1, ?, 0)",
                              base::Money::units(kBalance))
                    .ok());
  }
  int64_t leased() {
    return database()
        .read()
        ->query_value<base::Money>("SELECT leased FROM user_wallets WHERE user_id = 1")
        ->units();
  }
  base::SystemClock clock_;
};
DEEPPOOL_EACH_DATABASE(FundsTest);

Demand costing(int64_t units) {
  return {.user = kUser, .key = base::ApiKeyId{1}, .tokens = 10, .cost = base::Money::units(units)};
}

struct Tally {
  int64_t charge = 100;  // of each that is covered
  std::atomic<int> covered{0}, refused{0}, other{0};
};

Task<void> spend(Funds& funds, Tally& tally) {
  Hold hold;
  Result<void> covered = co_await funds.cover(hold, costing(100));
  if (covered) {
    ++tally.covered;
  } else {
    ++(covered.error().code == ErrorCode::insufficient_quota ? tally.refused : tally.other);
  }
  hold.settle(10, base::Money::units(covered ? tally.charge : 0));
}

// `count` requests at once on a loop of their own.
void spend_on_a_loop(Funds& funds, Tally& tally, int count) {
  async::Loop loop;
  async::TaskGroup group(loop);
  async::TaskGroup control(loop);
  loop.post([&] {
    for (int i = 0; i < count; ++i) group.spawn(spend(funds, tally));
    control.spawn([&]() -> Task<void> {
      co_await group.join({async::Loop::current().now() + std::chrono::seconds(10)});
      loop.stop();
    });
  });
  loop.run();
}

TEST_P(FundsTest, TwoHundredWaitersOnTwoLoopsShareABalanceForTen) {
  Funds funds(database(), base::RequestId{}, clock_);
  ASSERT_TRUE(funds.claim().ok());
  Tally tally;
  {
    std::jthread first([&] { spend_on_a_loop(funds, tally, 100); });
    std::jthread second([&] { spend_on_a_loop(funds, tally, 100); });
  }
  EXPECT_EQ(tally.covered, 10);
  EXPECT_EQ(tally.refused, 190);
  EXPECT_EQ(tally.other, 0);
  funds.end_refills();
}

// Runs the upkeep until `done`, 10 s at most; whether it came to that.
bool upkeep_until(Funds& funds, const std::function<bool()>& done) {
  async::Loop loop;
  async::TaskGroup group(loop);
  async::CancelScope scope;
  loop.post([&] {
    group.spawn(funds.upkeep(scope));
    group.spawn([&]() -> Task<void> {
      const base::Instant end = async::Loop::current().now() + std::chrono::seconds(10);
      async::CancelScope own;
      while (!done() && async::Loop::current().now() < end) {
        co_await async::sleep_for(milliseconds(50), own);
      }
      scope.cancel(async::CancelReason::shutting_down);
      loop.stop();
    });
  });
  loop.run();
  return done();
}

TEST_P(FundsTest, UpkeepGivesBackWhatLiesIdle) {
  Funds funds(database(), base::RequestId{}, clock_);
  ASSERT_TRUE(funds.claim().ok());
  Tally tally{.charge = 0};
  spend_on_a_loop(funds, tally, 1);
  EXPECT_GE(leased(), 100);
  EXPECT_TRUE(upkeep_until(funds, [&] { return leased() == 0; }));
  funds.end_refills();
}

// Nobody changes the terms; what is used up leaves them all the same.
TEST_P(FundsTest, SpentGrantsAreForgotten) {
  const auto say = [&](std::string_view statement) {
    ASSERT_TRUE(database().write()->connection().run_plain(std::string(statement)));
  };
  say("INSERT INTO users (id, username, password_hash, created_at, updated_at)"
      " VALUES (1, 'u', 'x', 0, 0)");
  say("INSERT INTO token_grants (user_id, tokens_total, tokens_used, created_at)"
      " VALUES (1, 500, 499, 0)");
  testing::FakeClock clock;
  Funds funds(database(), base::RequestId{}, clock);
  ASSERT_TRUE(funds.claim());
  ASSERT_TRUE(funds.load_terms());
  say("UPDATE token_grants SET tokens_used = 500");
  Tally tally;
  spend_on_a_loop(funds, tally, 1);
  EXPECT_EQ(tally.covered, 1);
  clock.advance(kSpentGrantLife);
  ASSERT_TRUE(funds.forget_spent_grants());
  // Until then the account would remember what the store said of the grant.
  EXPECT_TRUE(upkeep_until(funds, [&] { return funds.book().accounts() == 0; }));
  funds.end_refills();
}

TEST_P(FundsTest, AProcessThatLostItsInstanceRefuses) {
  Funds funds(database(), base::RequestId{}, clock_);  // never claimed: the epoch is another's
  Tally tally;
  spend_on_a_loop(funds, tally, 3);
  EXPECT_EQ(tally.other, 3);
  funds.end_refills();
}

}  // namespace
}  // namespace deeppool::governance
