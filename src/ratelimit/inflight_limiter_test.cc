#include "ratelimit/inflight_limiter.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

namespace deeppool::ratelimit {
namespace {

constexpr base::ApiKeyId kKey{3};

TEST(InflightLimiter, AdmitsUpToTheLimitAndAgainWhenOneHasEnded) {
  InflightLimiter limiter;
  auto first = limiter.admit(kKey, 2);
  auto second = limiter.admit(kKey, 2);
  ASSERT_TRUE(first.ok() && second.ok());
  const auto refused = limiter.admit(kKey, 2);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::rate_limited);
  EXPECT_TRUE(refused.error().retry_after.has_value());
  EXPECT_TRUE(limiter.admit(base::ApiKeyId{4}, 1).ok());
  EXPECT_TRUE(limiter.admit(kKey, 0).ok());
  {
    const InflightSlot moved = *std::move(first);
  }
  InflightSlot third;
  third = *limiter.admit(kKey, 2);
  EXPECT_FALSE(limiter.admit(kKey, 2).ok());
  third.release();
  third.release();
  EXPECT_TRUE(limiter.admit(kKey, 2).ok());
}

TEST(InflightLimiter, NeverAboveTheLimitFromManyThreads) {
  InflightLimiter limiter;
  std::atomic<int> inside{0}, most{0};
  const auto work = [&] {
    for (int i = 0; i < 2000; ++i) {
      const auto slot = limiter.admit(kKey, 3);
      if (!slot) continue;
      const int now = ++inside;
      for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) continue;
      --inside;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) threads.emplace_back(work);
  }
  EXPECT_LE(most, 3);
  EXPECT_GE(most, 1);
  EXPECT_TRUE(limiter.admit(kKey, 1).ok());  // all were given back
}

}  // namespace
}  // namespace deeppool::ratelimit
