#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "governance/limits.h"
#include "governance/quota/quota_book.h"

namespace deeppool::governance {
namespace {

constexpr base::ApiKeyId kKey{5};

TEST(QuotaBook, HoldsSettlesAndRefuses) {
  QuotaBook book;
  const QuotaTerms terms{.total = 1000, .used_in_store = 600};
  auto first = book.hold(kKey, terms, 300);
  ASSERT_TRUE(first.ok());
  const auto refused = book.hold(kKey, terms, 101);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::insufficient_quota);
  EXPECT_EQ(refused.error().message,
            "This API key's token quota does not cover the request: Quota 1000, Used 600, Held by "
            "running requests 300, Requested 101. Raise the key's quota, or ask for fewer output "
            "tokens (max_tokens).");
  first->settle(50);
  first->settle(500);
  EXPECT_EQ(book.standing(kKey, terms).used, 650);
  EXPECT_EQ(book.standing(kKey, terms).held, 0);
  EXPECT_TRUE(book.hold(kKey, terms, 350).ok());
}

TEST(QuotaBook, ADroppedHoldSpendsNothing) {
  QuotaBook book;
  const QuotaTerms terms{.total = 100, .used_in_store = 0};
  {
    auto held = book.hold(kKey, terms, 100);
    QuotaHold moved = *std::move(held);
    QuotaHold again;
    again = std::move(moved);
    EXPECT_EQ(book.standing(kKey, terms).held, 100);
  }
  EXPECT_EQ(book.standing(kKey, terms).held, 0);
  EXPECT_EQ(book.standing(kKey, terms).used, 0);
}

TEST(QuotaBook, ExtendsUntilTheQuotaEnds) {
  QuotaBook book;
  const QuotaTerms terms{.total = 100, .used_in_store = 0};
  auto held = book.hold(kKey, terms, 40);
  EXPECT_TRUE(held->extend(60).ok());
  EXPECT_EQ(held->tokens(), 100);
  const auto refused = held->extend(1);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::insufficient_quota);
  held->settle(120);  // the upstream gave more than was asked for: counted, not lost
  EXPECT_EQ(book.standing(kKey, terms).used, 120);
}

TEST(QuotaBook, EditsOfTheTotalAreInForceAtOnceAndTheStoresFigureIsNotReadTwice) {
  QuotaBook book;
  book.hold(kKey, {.total = -1, .used_in_store = 10}, 5)->settle(90);
  EXPECT_FALSE(book.hold(kKey, {.total = 100, .used_in_store = 10}, 1).ok());
  EXPECT_TRUE(book.hold(kKey, {.total = 101, .used_in_store = 100}, 1).ok());
  EXPECT_TRUE(book.hold(kKey, {.total = -1, .used_in_store = 100}, 1'000'000).ok());
}

TEST(QuotaBook, AbsurdCountsNeitherOverflowNorCredit) {
  QuotaBook book;
  const QuotaTerms unlimited{.total = -1, .used_in_store = INT64_MAX};
  EXPECT_FALSE(book.hold(kKey, unlimited, 1).ok());
  const QuotaTerms terms{.total = 100, .used_in_store = -7};
  auto held = book.hold(base::ApiKeyId{6}, terms, -1000);
  ASSERT_TRUE(held.ok());
  held->settle(-1000);
  EXPECT_EQ(book.standing(base::ApiKeyId{6}, terms).used, 0);
  EXPECT_FALSE(book.hold(base::ApiKeyId{6}, terms, INT64_MAX).ok());
}

TEST(QuotaBook, TwoHundredRequestsOnAQuotaForTen) {
  QuotaBook book;
  const QuotaTerms terms{.total = 1000, .used_in_store = 0};
  std::atomic<int> admitted{0};
  std::atomic<bool> over{false};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i) {
          auto held = book.hold(kKey, terms, 100);
          const QuotaStanding now = book.standing(kKey, terms);
          if (now.used + now.held > 1000) over = true;
          if (!held) continue;
          held->settle(100);
          ++admitted;
        }
      });
    }
  }
  EXPECT_EQ(admitted, 10);
  EXPECT_FALSE(over);
}

RC_GTEST_PROP(QuotaProperty, UsedPlusHeldNeverExceedsTheTotalByAdmission, ()) {
  QuotaBook book;
  const QuotaTerms terms{.total = *rc::gen::inRange(0, 500),
                         .used_in_store = *rc::gen::inRange(0, 100)};
  std::vector<QuotaHold> running;
  int64_t used = terms.used_in_store;
  for (int step = 0; step < 60; ++step) {
    if (!running.empty() && *rc::gen::arbitrary<bool>()) {
      const auto which = *rc::gen::inRange<size_t>(0, running.size());
      const int64_t spent = *rc::gen::inRange<int64_t>(0, running[which].tokens() + 1);
      used += spent;
      running[which].settle(spent);
      running.erase(running.begin() + static_cast<ptrdiff_t>(which));
      continue;
    }
    auto held = book.hold(kKey, terms, *rc::gen::inRange(0, 120));
    if (held) running.push_back(*std::move(held));
    int64_t sum = 0;
    for (const auto& each : running) sum += each.tokens();
    RC_ASSERT(book.standing(kKey, terms).used == used);
    RC_ASSERT(book.standing(kKey, terms).held == sum);
    RC_ASSERT(used + sum <= std::max(terms.total, terms.used_in_store));
  }
}

}  // namespace
}  // namespace deeppool::governance
