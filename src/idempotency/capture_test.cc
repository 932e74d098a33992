#include "idempotency/capture.h"

#include <gtest/gtest.h>

#include "idempotency/limits.h"

namespace deeppool::idempotency {
namespace {

TEST(Capture, KeepsWhatFitsAndGivesTheMemoryBack) {
  Budget budget(100);
  {
    Capture capture(budget);
    capture.add("0123456789");
    capture.add("abc");
    EXPECT_TRUE(capture.complete());
    EXPECT_EQ(capture.bytes(), "0123456789abc");
    EXPECT_EQ(budget.left(), 87);
  }
  EXPECT_EQ(budget.left(), 100);
}

TEST(Capture, DropsAllWhenTheBudgetIsSpent) {
  Budget budget(100);
  Capture first(budget);
  first.add(std::string(60, 'x'));
  Capture second(budget);
  second.add(std::string(30, 'y'));
  second.add(std::string(30, 'y'));
  EXPECT_FALSE(second.complete());
  EXPECT_EQ(second.bytes().capacity(), std::string().capacity());
  EXPECT_EQ(budget.left(), 40);
  second.add("more");
  EXPECT_FALSE(second.complete());
  EXPECT_EQ(budget.left(), 40);
}

TEST(Capture, NoAnswerIsLargerThanTheBound) {
  Budget budget(INT64_MAX / 2);
  Capture capture(budget);
  for (size_t at = 0; at < kMaxAnswerBytes; at += 1024) capture.add(std::string(1024, 'x'));
  EXPECT_TRUE(capture.complete());
  capture.add("x");
  EXPECT_FALSE(capture.complete());
  EXPECT_EQ(budget.left(), INT64_MAX / 2);
}

}  // namespace
}  // namespace deeppool::idempotency
