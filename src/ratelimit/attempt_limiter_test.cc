#include "ratelimit/attempt_limiter.h"

#include <gtest/gtest.h>

#include <string>

#include "ratelimit/limits.h"
#include "testing/fake_clock.h"

namespace deeppool::ratelimit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::FakeClock;

constexpr AttemptRule kRule{.burst = 5, .interval = seconds(60)};

TEST(AttemptLimiter, BurstThenOnePerInterval) {
  FakeClock clock;
  AttemptLimiter limiter(clock, kRule);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(limiter.attempt("bob").ok()) << i;
  clock.advance(seconds(20));
  const auto refused = limiter.attempt("bob");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::rate_limited);
  EXPECT_EQ(refused.error().retry_after, seconds(40));
  EXPECT_EQ(refused.error().message, "Too many attempts. Please try again in 40 s.");
  EXPECT_TRUE(limiter.attempt("eve").ok());
  clock.advance(seconds(40));
  EXPECT_TRUE(limiter.attempt("bob").ok());
  EXPECT_FALSE(limiter.attempt("bob").ok());
  clock.advance(seconds(3600));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(limiter.attempt("bob").ok()) << i;
  EXPECT_FALSE(limiter.attempt("bob").ok());
}

TEST(AttemptLimiter, SuccessForgives) {
  FakeClock clock;
  AttemptLimiter limiter(clock, kRule);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(limiter.attempt("bob").ok());
  limiter.forgive("bob");
  EXPECT_TRUE(limiter.attempt("bob").ok());
}

TEST(AttemptLimiter, AFloodOfNamesDoesNotFreeTheOneUnderAttack) {
  FakeClock clock;
  AttemptLimiter limiter(clock, kRule);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(limiter.attempt("admin").ok());
  for (size_t i = 0; i < 10 * kAttemptSets * kAttemptWays; ++i) {
    (void)limiter.attempt("name" + std::to_string(i));
  }
  EXPECT_FALSE(limiter.attempt("admin").ok());
}

}  // namespace
}  // namespace deeppool::ratelimit
