#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "governance/funds/fund_world.h"
#include "governance/funds/limits.h"
#include "governance/limits.h"
#include "testing/fake_clock.h"

namespace deeppool::governance {
namespace {

using base::Money;
using std::chrono::milliseconds;

constexpr base::UserId kUser{7};
constexpr base::ApiKeyId kKey{5};
constexpr FundId kQuota{FundKind::quota, 5};
constexpr FundId kWallet{FundKind::wallet, 7};
constexpr FundId kGrantA{FundKind::grant, 1};
constexpr FundId kGrantB{FundKind::grant, 2};

Demand quota_demand(int64_t total, int64_t tokens) {
  return {.user = kUser, .key = kKey, .quota_total = total, .tokens = tokens};
}
Demand paid_demand(int64_t tokens, int64_t units) {
  return {.user = kUser, .key = kKey, .tokens = tokens, .cost = Money::units(units)};
}

struct World {
  explicit World(Takes how = Takes::everything) : takes(how) {}
  Takes takes;
  testing::FakeClock clock;
  FakeTables tables;
  FakeLeaseStore store{tables, 1, takes};
  FundBook book{store, clock};

  // Grants 1 and 2, the second expiring first; 10 % off.
  void grant(int64_t first, int64_t second) {
    tables.funds[kGrantA].total = first;
    tables.funds[kGrantB].total = second;
    auto terms = std::make_shared<Terms>();
    const int64_t now = base::unix_ms(clock.wall());
    terms->users[kUser].grants = {{base::GrantId{2}, now + 60'000}, {base::GrantId{1}, kNever}};
    terms->users[kUser].discounts = {{50'000, 0, kNever}, {900'000, 0, now}};
    terms->for_all = {{100'000, now, now + 60'000}};
    book.set_terms(terms);
  }
};

TEST(FundBook, HoldsSettlesAndRefusesAQuota) {
  World w;
  w.tables.funds[kQuota] = {.total = 1000, .used = 600};
  Hold first;
  ASSERT_TRUE(cover(w.book, first, quota_demand(1000, 300)).ok());
  EXPECT_EQ(first.quota_tokens(), 300);
  Hold second;
  const auto refused = cover(w.book, second, quota_demand(1000, 101));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::insufficient_quota);
  EXPECT_EQ(refused.error().message,
            "This API key's token quota does not cover the request: 100 tokens of it are left, the "
            "request may take 101. Raise the key's quota, or ask for fewer output tokens "
            "(max_tokens).");
  EXPECT_FALSE(second.limited());
  first.settle(50, {});
  first.settle(500, {});
  EXPECT_EQ(w.book.standing(kUser, kQuota).idle, 350);
  EXPECT_EQ(w.book.standing(kUser, kQuota).held, 0);
  EXPECT_TRUE(cover(w.book, second, quota_demand(1000, 350)).ok());
}

TEST(FundBook, AsksTheStoreForNothingWithoutLimitAndOnlyOnceWithOne) {
  World w;
  Hold free;
  EXPECT_EQ(*w.book.raise(free, {.user = kUser, .key = kKey, .tokens = 100}), Covered::yes);
  EXPECT_FALSE(free.limited());
  EXPECT_EQ(w.book.accounts(), 0u);
  w.tables.funds[kQuota].total = 1000;
  for (int i = 0; i < 10; ++i) {
    Hold hold;
    ASSERT_TRUE(cover(w.book, hold, quota_demand(1000, 100)).ok());
  }
  EXPECT_EQ(w.store.exchanges, 1);
}

TEST(FundBook, ADroppedOrMovedHoldSpendsNothing) {
  World w;
  w.tables.funds[kQuota].total = 100;
  {
    Hold held;
    ASSERT_TRUE(cover(w.book, held, quota_demand(100, 100)).ok());
    Hold moved = std::move(held);
    Hold again;
    again = std::move(moved);
    EXPECT_EQ(w.book.standing(kUser, kQuota).held, 100);
  }
  EXPECT_EQ(w.book.standing(kUser, kQuota).held, 0);
  EXPECT_EQ(w.book.standing(kUser, kQuota).idle, 100);
}

TEST(FundBook, GrowsUntilTheFundEnds) {
  World w;
  w.tables.funds[kQuota].total = 100;
  Hold held;
  ASSERT_TRUE(cover(w.book, held, quota_demand(100, 40)).ok());
  ASSERT_TRUE(cover(w.book, held, quota_demand(100, 100)).ok());
  EXPECT_EQ(held.tokens(), 100);
  const auto refused = cover(w.book, held, quota_demand(100, 101));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::insufficient_quota);
  EXPECT_EQ(held.quota_tokens(), 100);
  held.settle(120, {});  // the upstream gave more than was asked for: counted, not lost
  EXPECT_EQ(w.book.standing(kUser, kQuota).idle, -20);
}

TEST(FundBook, QuotaAndMoneyAreHeldTogetherOrNotAtAll) {
  World w;
  w.tables.funds[kQuota].total = 1000;
  w.tables.funds[kWallet].total = 10;
  Demand demand = paid_demand(100, 11);
  demand.quota_total = 1000;
  Hold hold;
  const auto refused = cover(w.book, hold, demand);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message,
            "The balance does not cover the request: 0.000000001 yuan are available, the request "
            "may cost up to 0.0000000011 yuan beyond free tokens. Top up the wallet, or ask for "
            "fewer output tokens (max_tokens).");
  EXPECT_EQ(w.book.standing(kUser, kQuota).held, 0);
  demand.cost = Money::units(10);
  ASSERT_TRUE(cover(w.book, hold, demand).ok());
  EXPECT_EQ(w.book.standing(kUser, kQuota).held, 100);
  EXPECT_EQ(w.book.standing(kUser, kWallet).held, 10);
  hold.settle(30, Money::units(3));
  EXPECT_EQ(w.book.standing(kUser, kQuota).idle, 970);
  EXPECT_EQ(w.book.standing(kUser, kWallet).idle, 7);
}

TEST(FundBook, GrantsPayFirstThenTheDiscountThenTheWallet) {
  World w;
  w.grant(/*first=*/100, /*second=*/300);
  w.tables.funds[kWallet].total = 10'000;
  Hold hold;
  ASSERT_TRUE(cover(w.book, hold, paid_demand(1000, 1000)).ok());
  // 600 of 1000 tokens are left to pay, a tenth off: 540.
  EXPECT_EQ(hold.money(), Money::units(540));
  EXPECT_EQ(hold.discount_ppm(), 100'000);
  const GrantParts parts = hold.grants_for(350);
  ASSERT_EQ(parts.list().size(), 2u);
  EXPECT_EQ(parts.list()[0].grant, base::GrantId{2});
  EXPECT_EQ(parts.list()[0].tokens, 300);
  EXPECT_EQ(parts.list()[1].tokens, 50);
  hold.settle(350, {});
  EXPECT_EQ(w.book.standing(kUser, kGrantB).idle, 0);
  EXPECT_EQ(w.book.standing(kUser, kGrantA).idle, 50);
  EXPECT_EQ(w.book.standing(kUser, kWallet).idle, 10'000);
}

// Nine grants of 10 tokens of which nothing can be had, and a wallet that pays.
struct EmptyGrants : World {
  explicit EmptyGrants(const FakeFund& grant) {
    auto terms = std::make_shared<Terms>();
    for (int64_t id = 1; id <= 9; ++id) {
      tables.funds[{FundKind::grant, id}] = grant;
      tables.leases[{{FundKind::grant, id}, 2}].first = grant.leased;
      terms->users[kUser].grants.push_back({base::GrantId{id}, kNever});
    }
    tables.funds[kWallet].total = 10'000;
    book.set_terms(terms);
  }
  // One request after a quiet time; what it cost of exchanges.
  int request() {
    const int before = store.exchanges;
    Hold hold;
    EXPECT_TRUE(cover(book, hold, paid_demand(100, 100)).ok());
    EXPECT_EQ(hold.money(), Money::units(100));
    hold.settle(0, {});
    const int taken = store.exchanges - before;
    clock.advance(std::chrono::seconds(2));
    for (int i = 0; i < 2; ++i) book.return_idle(clock.now() - std::chrono::seconds(1));
    return taken;
  }
};

TEST(FundBook, UsedUpGrantsCostOneRefillUntilTheTermsForgetThem) {
  EmptyGrants w({.total = 10, .used = 10});
  EXPECT_EQ(w.request(), 2);
  EXPECT_TRUE(w.book.take_spent());
  EXPECT_EQ(w.request(), 1);  // the wallet alone
  EXPECT_FALSE(w.book.take_spent());
  EXPECT_EQ(w.book.accounts(), 1u);
  w.book.set_terms(std::make_shared<Terms>());
  w.book.return_idle(w.clock.now());
  EXPECT_EQ(w.book.accounts(), 0u);
}

TEST(FundBook, GrantsInAnotherInstancesLeaseCostOneRefill) {
  EmptyGrants w({.total = 10, .leased = 10});
  EXPECT_EQ(w.request(), 2);
  EXPECT_EQ(w.request(), 2);
  EXPECT_EQ(w.book.accounts(), 0u);
}

// Of two that wait for one refill, the second knows a higher quota.
TEST(FundBook, ALimitThatChangesDuringAnExchangeIsNotTakenForTheOneThatWasAskedUnder) {
  World w;
  w.tables.funds[kQuota].total = 1000;
  Hold first, second;
  ASSERT_EQ(*w.book.raise(first, quota_demand(1000, 100)), Covered::not_yet);
  w.store.meanwhile = [&] {
    EXPECT_EQ(*w.book.raise(second, quota_demand(2000, 100)), Covered::not_yet);
  };
  ASSERT_EQ(w.book.join_refill(kUser, [] {}), FundBook::Turn::first);
  w.book.run_refill(kUser);
  // What was leased is of the old one: it goes back and is leased anew.
  EXPECT_EQ(*w.book.raise(second, quota_demand(2000, 100)), Covered::not_yet);
  EXPECT_EQ(*w.book.raise(first, quota_demand(1000, 100)), Covered::yes);
}

TEST(FundBook, AnExpiredGrantIsNotUsedAndGoesBackWhenItIsNoLongerInForce) {
  World w;
  w.grant(100, 300);
  Hold hold;
  ASSERT_TRUE(cover(w.book, hold, paid_demand(400, 400)).ok());
  hold.settle(0, {});
  w.clock.advance(std::chrono::seconds(60));
  Hold later;
  EXPECT_FALSE(cover(w.book, later, paid_demand(400, 400)).ok());
  ASSERT_TRUE(cover(w.book, later, paid_demand(100, 100)).ok());
  later.settle(0, {});
  w.book.set_terms(std::make_shared<Terms>());
  w.book.return_idle(w.clock.now() - std::chrono::hours(1));
  EXPECT_EQ(w.tables.funds[kGrantA].leased, 0);
  EXPECT_EQ(w.tables.funds[kGrantB].leased, 0);
}

TEST(FundBook, ARecalledWalletKeepsNothingIdleWhileRequestsRun) {
  World w;
  w.tables.funds[kWallet].total = 1000;
  Hold running;
  ASSERT_TRUE(cover(w.book, running, paid_demand(10, 10)).ok());
  EXPECT_EQ(w.tables.funds[kWallet].leased, 1000);
  auto terms = std::make_shared<Terms>();
  terms->users[kUser].recalled_until_ms = base::unix_ms(w.clock.wall()) + 1;
  w.book.set_terms(terms);
  const auto long_ago = w.clock.now() - std::chrono::hours(1);
  w.book.return_idle(long_ago);
  EXPECT_EQ(w.tables.funds[kWallet].leased, 10);
  running.settle(10, Money::units(4));
  Hold next;
  ASSERT_TRUE(cover(w.book, next, paid_demand(10, 10)).ok());
  w.clock.advance(std::chrono::milliseconds(1));
  w.book.return_idle(long_ago);
  EXPECT_EQ(w.tables.funds[kWallet].leased, 1000);  // the recall is over
  w.tables.check();
}

TEST(FundBook, ALoweredLimitIsInForceAtOnce) {
  World w;
  w.tables.funds[kQuota].total = 1000;
  {
    Hold hold;
    ASSERT_TRUE(cover(w.book, hold, quota_demand(1000, 1)).ok());
  }
  w.tables.funds[kQuota].total = 100;
  Hold hold;
  EXPECT_FALSE(cover(w.book, hold, quota_demand(100, 101)).ok());
  EXPECT_TRUE(cover(w.book, hold, quota_demand(100, 100)).ok());
  w.tables.check();
}

TEST(FundBook, AFundThatIsSpentIsAskedForFiveTimesASecondAtMost) {
  World w;
  w.tables.funds[kWallet].total = 5;
  const auto refused = [&] {
    Hold hold;
    const auto covered = cover(w.book, hold, paid_demand(10, 10));
    return !covered.ok() && covered.error().code == ErrorCode::insufficient_quota;
  };
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(refused());
  EXPECT_EQ(w.store.exchanges, 1);
  w.tables.funds[kWallet].total = 50;  // a top-up
  w.clock.advance(kRefusalMemory);
  Hold hold;
  EXPECT_TRUE(cover(w.book, hold, paid_demand(10, 10)).ok());
}

TEST(FundBook, WhatIsIdleGoesBackAndWhoIsGoneIsForgotten) {
  World w;
  w.tables.funds[kQuota].total = 1000;
  Hold running;
  ASSERT_TRUE(cover(w.book, running, quota_demand(1000, 300)).ok());
  w.book.return_idle(w.clock.now() - milliseconds(1));
  EXPECT_EQ(w.tables.funds[kQuota].leased, 1000);
  w.book.return_idle(w.clock.now());
  EXPECT_EQ(w.tables.funds[kQuota].leased, 300);
  running.settle(400, {});  // more than held
  w.book.return_idle(w.clock.now() - milliseconds(1));
  EXPECT_EQ(w.tables.funds[kQuota].leased, 400);  // the debt is leased
  w.tables.post(kQuota, 1, 400);
  w.book.return_idle(w.clock.now());
  EXPECT_EQ(w.tables.funds[kQuota].leased, 0);
  EXPECT_EQ(w.book.accounts(), 0u);
  w.tables.check();
}

TEST(FundBook, AStoreThatIsAwayRefusesForAMomentAndLosesNothing) {
  World w;
  w.tables.funds[kQuota].total = 1000;
  w.store.next = Landing::failed;
  Hold hold;
  const auto away = cover(w.book, hold, quota_demand(1000, 300));
  ASSERT_FALSE(away.ok());
  EXPECT_EQ(away.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(away.error().retry_after.has_value());
  w.clock.advance(kRefusalMemory);
  ASSERT_TRUE(cover(w.book, hold, quota_demand(1000, 300)).ok());
  w.store.next = Landing::failed;
  w.book.return_idle(w.clock.now());
  EXPECT_EQ(w.book.standing(kUser, kQuota).idle, 700);
}

class Doubt : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Landed, Doubt, ::testing::Bool());

TEST_P(Doubt, IsSettledByTheNextOrderWithoutLossOrGain) {
  World w;
  w.tables.funds[kQuota].total = 1000;
  w.store.doubt_lands = GetParam();
  w.store.next = Landing::in_doubt;
  Hold hold;
  EXPECT_FALSE(cover(w.book, hold, quota_demand(1000, 300)).ok());
  EXPECT_EQ(w.book.standing(kUser, kQuota).idle, 0);
  w.clock.advance(kRefusalMemory);
  ASSERT_TRUE(cover(w.book, hold, quota_demand(1000, 300)).ok());
  EXPECT_EQ(w.book.standing(kUser, kQuota).idle, 700);
  w.store.next = Landing::in_doubt;
  w.book.return_idle(w.clock.now());
  EXPECT_EQ(w.book.standing(kUser, kQuota).idle, 0);
  w.book.return_idle(w.clock.now() - milliseconds(1));
  EXPECT_EQ(w.book.standing(kUser, kQuota).idle, GetParam() ? 0 : 700);
  EXPECT_EQ(w.tables.funds[kQuota].leased, w.book.standing(kUser, kQuota).idle + 300);
  w.tables.check();
}

TEST(FundBook, ADoubtIsNotTakenForAnEarlierOrderOfAForgottenAccount) {
  World w;
  w.tables.funds[kQuota].total = 1000;
  {
    Hold hold;
    ASSERT_TRUE(cover(w.book, hold, quota_demand(1000, 300)).ok());
  }
  w.book.return_idle(w.clock.now());
  w.book.return_idle(w.clock.now());
  ASSERT_EQ(w.book.accounts(), 0u);
  const auto last = w.tables.leases.begin()->second.second;  // the sequence that the row keeps
  for (int64_t order = 0; order < last; ++order) {
    w.store.next = Landing::in_doubt;  // and it does not land
    Hold hold;
    EXPECT_FALSE(cover(w.book, hold, quota_demand(1000, 300)).ok());
    w.clock.advance(kRefusalMemory);
  }
  Hold hold;
  ASSERT_TRUE(cover(w.book, hold, quota_demand(1000, 300)).ok());
  EXPECT_EQ(w.book.standing(kUser, kQuota).idle, 700);
}

TEST(FundBook, LapsedLeasesCountForNothing) {
  World w;
  w.tables.funds[kQuota].total = 1000;
  w.book.set_usable_until(w.clock.now() + milliseconds(10));
  Hold hold;
  ASSERT_TRUE(cover(w.book, hold, quota_demand(1000, 10)).ok());
  w.clock.advance(milliseconds(10));
  EXPECT_EQ(cover(w.book, hold, quota_demand(1000, 20)).error().code, ErrorCode::unavailable);
  Hold free;
  EXPECT_TRUE(w.book.raise(free, {.user = kUser, .key = kKey, .tokens = 10}).ok());
}

// The machine was suspended: only the leases' clock has gone on.
TEST(FundBook, LeasesLapseByTheirOwnClock) {
  testing::FakeClock clock, lease_clock;
  FakeTables tables;
  tables.funds[kQuota].total = 1000;
  FakeLeaseStore store{tables, 1, Takes::everything};
  FundBook book{store, clock, lease_clock};
  book.set_usable_until(lease_clock.now() + kLeaseLife);
  Hold before, after;
  ASSERT_TRUE(cover(book, before, quota_demand(1000, 10)));
  lease_clock.advance(kLeaseLife);
  EXPECT_EQ(cover(book, after, quota_demand(1000, 10)).error().code, ErrorCode::unavailable);
}

TEST(FundBook, AbsurdCountsNeitherOverflowNorCredit) {
  World w;
  w.tables.funds[kQuota].total = 100;
  w.tables.funds[kWallet].total = INT64_MAX;
  Hold hold;
  ASSERT_TRUE(cover(w.book, hold, quota_demand(100, -1000)).ok());
  hold.settle(-1000, {});
  EXPECT_EQ(w.book.standing(kUser, kQuota).idle, 0);
  EXPECT_FALSE(cover(w.book, hold, quota_demand(100, INT64_MAX)).ok());
  ASSERT_TRUE(cover(w.book, hold, paid_demand(kMaxRequestTokens, INT64_MAX)).ok());
  EXPECT_EQ(hold.money(), Money::units(INT64_MAX));
}

TEST(FundBook, OneRefillServesAllWhoWait) {
  World w;
  w.tables.funds[kQuota].total = 1000;
  int called = 0;
  Hold first, second;
  EXPECT_EQ(*w.book.raise(first, quota_demand(1000, 10)), Covered::not_yet);
  EXPECT_EQ(w.book.join_refill(kUser, [&] { ++called; }), FundBook::Turn::first);
  EXPECT_EQ(*w.book.raise(second, quota_demand(1000, 10)), Covered::not_yet);
  EXPECT_EQ(w.book.join_refill(kUser, [&] { ++called; }), FundBook::Turn::waits);
  w.book.run_refill(kUser);
  EXPECT_EQ(called, 2);
  EXPECT_EQ(w.store.exchanges, 1);
  EXPECT_EQ(*w.book.raise(first, quota_demand(1000, 10)), Covered::yes);
  EXPECT_EQ(*w.book.raise(second, quota_demand(1000, 10)), Covered::yes);
  Hold third;
  EXPECT_EQ(*w.book.raise(third, paid_demand(10, 10)), Covered::not_yet);
  EXPECT_EQ(w.book.join_refill(kUser, [&] { ++called; }), FundBook::Turn::first);
  w.book.abandon_refill(kUser);
  EXPECT_EQ(called, 3);
  EXPECT_EQ(w.book.raise(third, paid_demand(10, 10)).error().code, ErrorCode::unavailable);
}

// Asks until there is an answer: threads cannot wait for another's refill.
bool admit_and_settle(FundBook& book) {
  Hold hold;
  while (true) {
    const auto covered = book.raise(hold, paid_demand(10, 100));
    if (!covered) return false;
    if (*covered == Covered::yes) break;
    if (book.join_refill(kUser, [] {}) == FundBook::Turn::first) book.run_refill(kUser);
  }
  hold.settle(10, Money::units(100));
  return true;
}

TEST(FundBook, TwoHundredRequestsOnABalanceForTen) {
  World w;
  w.tables.funds[kWallet].total = 1000;
  std::atomic<int> admitted{0};
  const auto fifty = [&] {
    for (int i = 0; i < 50; ++i) admitted += admit_and_settle(w.book) ? 1 : 0;
  };
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) threads.emplace_back(fifty);
  }
  EXPECT_EQ(admitted, 10);
  EXPECT_EQ(w.book.standing(kUser, kWallet).idle, 0);
}

// Several instances over the same tables, with settlements posted late, crashes and doubts: what
// was admitted never passes what is there, and the books balance in every state.
struct Instance {
  Instance(FakeTables& tables, int number, testing::FakeClock& clock)
      : id(number), store(tables, number, Takes::wanted), book(store, clock) {}
  int id;
  FakeLeaseStore store;
  FundBook book;
  struct Running {
    Hold hold;
    Demand demand;
  };
  std::vector<Running> running;
  std::vector<std::pair<FundId, int64_t>> spool;
};

struct Fleet {
  testing::FakeClock clock;
  FakeTables tables;
  std::vector<std::unique_ptr<Instance>> instances;
  std::shared_ptr<Terms> terms = std::make_shared<Terms>();

  void begin(int number) {
    instances.push_back(std::make_unique<Instance>(tables, number, clock));
    instances.back()->book.set_terms(terms);
  }
  void apply(Instance& at) {
    for (const auto& [fund, amount] : at.spool) tables.post(fund, at.id, amount);
    at.spool.clear();
  }
  // The process dies: its holds end unbilled, its spool is applied, its leases go back.
  void crash(size_t which) {
    Instance& at = *instances[which];
    for (auto& each : at.running) each.hold.settle(0, {});
    at.running.clear();
    apply(at);
    const int id = at.id;
    instances[which] = std::make_unique<Instance>(tables, id, clock);
    instances[which]->book.set_terms(terms);
    const std::lock_guard lock(tables.mutex);
    for (auto& [key, lease] : tables.leases) {
      if (key.second != id) continue;
      tables.funds[key.first].leased -= lease.first;
      lease = {};
    }
  }
  void settle(Instance& at, size_t which) {
    Instance::Running& each = at.running[which];
    const int64_t tokens = *rc::gen::inRange<int64_t>(0, each.demand.tokens + 1);
    const GrantParts grants = each.hold.grants_for(tokens);
    const Money charge =
        Money::units(each.hold.money().units() * tokens / std::max<int64_t>(1, each.demand.tokens));
    at.spool.emplace_back(kQuota, tokens);
    for (const GrantPart& part : grants.list()) {
      at.spool.emplace_back(FundId{FundKind::grant, part.grant.value}, part.tokens);
    }
    at.spool.emplace_back(kWallet, charge.units());
    each.hold.settle(tokens, charge);
    at.running.erase(at.running.begin() + static_cast<ptrdiff_t>(which));
  }
  void admit(Instance& at) {
    Demand demand = paid_demand(*rc::gen::inRange<int64_t>(1, 200), 0);
    demand.cost = Money::units(demand.tokens * 10);
    demand.quota_total = tables.funds[kQuota].total;
    Hold hold;
    if (cover(at.book, hold, demand).ok()) at.running.push_back({std::move(hold), demand});
  }
  void step() {
    Instance& at = *instances[*rc::gen::inRange<size_t>(0, instances.size())];
    switch (*rc::gen::inRange(0, 12)) {
      case 0:
        return apply(at);
      case 1:
        return at.book.return_idle(clock.now());
      case 2:
        return crash(*rc::gen::inRange<size_t>(0, instances.size()));
      case 3:
        at.store.next = *rc::gen::element(Landing::failed, Landing::in_doubt);
        at.store.doubt_lands = *rc::gen::arbitrary<bool>();
        return;
      case 4:
        return clock.advance(kRefusalMemory);
      case 5:
      case 6:
      case 7:
        if (!at.running.empty()) settle(at, *rc::gen::inRange<size_t>(0, at.running.size()));
        return;
      default:
        return admit(at);
    }
  }
  void check() {
    tables.check();
    for (const auto& [id, fund] : tables.funds) {
      RC_ASSERT(fund.available() >= 0);
      int64_t held = 0;
      for (const auto& at : instances) held += at->book.standing(kUser, id).held;
      RC_ASSERT(fund.used + held <= fund.total);
    }
  }
};

RC_GTEST_PROP(FundProperty, InstancesTogetherNeverAdmitMoreThanThereIs, ()) {
  Fleet fleet;
  fleet.tables.funds[kQuota].total = *rc::gen::inRange<int64_t>(0, 3000);
  fleet.tables.funds[kWallet].total = *rc::gen::inRange<int64_t>(0, 20'000);
  fleet.tables.funds[kGrantA].total = *rc::gen::inRange<int64_t>(0, 500);
  fleet.tables.funds[kGrantB].total = *rc::gen::inRange<int64_t>(0, 500);
  fleet.terms->users[kUser].grants = {{base::GrantId{1}, kNever}, {base::GrantId{2}, kNever}};
  for (int i = 1; i <= 3; ++i) fleet.begin(i);
  for (int i = 0; i < 80; ++i) {
    fleet.step();
    fleet.check();
  }
}

}  // namespace
}  // namespace deeppool::governance
