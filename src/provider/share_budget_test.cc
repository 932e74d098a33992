#include "provider/share_budget.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <thread>
#include <vector>

namespace deeppool::provider {
namespace {

TEST(ShareBudget, SpendsItsStockThenWhatItEarns) {
  ShareBudget budget(20, 3);
  EXPECT_EQ(budget.left(), 3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(budget.spend());
  EXPECT_FALSE(budget.spend());
  for (int i = 0; i < 4; ++i) budget.earn();
  EXPECT_FALSE(budget.spend());
  budget.earn();
  EXPECT_TRUE(budget.spend());
  EXPECT_FALSE(budget.spend());
  budget.give_back();
  EXPECT_TRUE(budget.spend());
}

TEST(ShareBudget, SavesNoMoreThanItsStock) {
  ShareBudget budget(50, 2);
  for (int i = 0; i < 1000; ++i) budget.earn();
  EXPECT_EQ(budget.left(), 2);
}

TEST(ShareBudget, OfNothingGivesNothing) {
  ShareBudget budget(0, 0);
  for (int i = 0; i < 1000; ++i) budget.earn();
  EXPECT_FALSE(budget.spend());
}

RC_GTEST_PROP(ShareBudget, NeverGivesMoreThanStockAndShare, ()) {
  const auto percent = *rc::gen::inRange<int64_t>(0, 101);
  const auto stock = *rc::gen::inRange<int64_t>(0, 20);
  const auto moves = *rc::gen::container<std::vector<bool>>(rc::gen::arbitrary<bool>());
  ShareBudget budget(percent, stock);
  int64_t earned = 0;
  int64_t spent = 0;
  for (const bool earns : moves) {
    if (earns) {
      budget.earn();
      ++earned;
    } else if (budget.spend()) {
      ++spent;
    }
    RC_ASSERT(100 * spent <= 100 * stock + percent * earned);
  }
}

TEST(ShareBudget, GivesEachExtraOnceToManyThreads) {
  ShareBudget budget(0, 1000);
  std::atomic<int> got{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        if (budget.spend()) ++got;
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(got, 1000);
}

}  // namespace
}  // namespace deeppool::provider
