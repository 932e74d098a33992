#include "ratelimit/limiter.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <thread>
#include <vector>

#include "base/random.h"
#include "testing/fake_clock.h"

namespace deeppool::ratelimit {
namespace {

using base::ApiKeyId;
using base::Duration;
using base::Instant;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::FakeClock;

constexpr ApiKeyId kKey{7};

// The truth: every admission with its own time. Sums over the trailing 60 s, (t - 60 s, t].
class ReferenceLog {
 public:
  size_t admit(Instant when, int64_t tokens) {
    events_.push_back({when, 1, tokens});
    return events_.size() - 1;
  }
  void settle(size_t event, Instant now, int64_t actual) {
    const int64_t reserved = events_[event].tokens;
    if (actual <= reserved) {
      events_[event].tokens = actual;
    } else {
      events_.push_back({now, 0, actual - reserved});
    }
  }
  int64_t requests(Instant now) const { return sum(now, &Event::requests); }
  int64_t tokens(Instant now) const { return sum(now, &Event::tokens); }

 private:
  struct Event {
    Instant when;
    int64_t requests;
    int64_t tokens;
  };
  int64_t sum(Instant now, int64_t Event::* field) const {
    int64_t total = 0;
    for (const Event& e : events_) {
      if (e.when > now - seconds(60)) total += e.*field;
    }
    return total;
  }
  std::vector<Event> events_;
};

TEST(Limiter, CountsRequestsAndSaysWhenToComeBack) {
  FakeClock clock;
  Limiter limiter(clock);
  const Limits limits{.rpm = 2, .tpm = 0};
  clock.advance(milliseconds(250));
  auto first = limiter.admit(kKey, limits, 10);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->snapshot().requests.limit, 2);
  EXPECT_EQ(first->snapshot().requests.remaining, 1);
  EXPECT_EQ(first->snapshot().requests.reset, milliseconds(60'750));
  EXPECT_EQ(first->snapshot().tokens.limit, 0);
  clock.advance(seconds(10));
  ASSERT_TRUE(limiter.admit(kKey, limits, 10).ok());

  const auto refused = limiter.admit(kKey, limits, 10);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::rate_limited);
  EXPECT_EQ(refused.error().retry_after, milliseconds(50'750));
  EXPECT_EQ(refused.error().message,
            "Rate limit reached for this API key on requests per min (RPM): Limit 2, Used 2, "
            "Requested 1. Please try again in 50.8s, or raise the key's limit.");
  EXPECT_EQ(limiter.snapshot(kKey, limits).requests.remaining, 0);

  clock.advance(*refused.error().retry_after - milliseconds(1));
  EXPECT_FALSE(limiter.admit(kKey, limits, 10).ok());
  clock.advance(milliseconds(1));
  EXPECT_TRUE(limiter.admit(kKey, limits, 10).ok());
}

TEST(Limiter, RefusalNamesTokens) {
  FakeClock clock;
  Limiter limiter(clock);
  const Limits limits{.rpm = 100, .tpm = 1000};
  auto held = limiter.admit(kKey, limits, 700);
  ASSERT_TRUE(held.ok());
  const auto refused = limiter.admit(kKey, limits, 301);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message,
            "Rate limit reached for this API key on tokens per min (TPM): Limit 1000, Used 700, "
            "Requested 301. Please try again in 61s, or raise the key's limit.");
  EXPECT_TRUE(limiter.admit(kKey, limits, 300).ok());
}

TEST(Limiter, EstimateAboveTheLimitCanNeverPass) {
  FakeClock clock;
  Limiter limiter(clock);
  const auto refused = limiter.admit(kKey, {.rpm = 5, .tpm = 1000}, 1001);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::rate_limited);
  EXPECT_EQ(refused.error().param, "max_tokens");
  EXPECT_FALSE(refused.error().retry_after.has_value());
  EXPECT_EQ(limiter.tracked_keys(), 0u);
}

TEST(Limiter, DroppedPermitReleasesTokensButNotTheRequest) {
  FakeClock clock;
  Limiter limiter(clock);
  const Limits limits{.rpm = 10, .tpm = 1000};
  {
    const auto dropped = limiter.admit(kKey, limits, 1000);
  }
  const Snapshot now = limiter.snapshot(kKey, limits);
  EXPECT_EQ(now.tokens.remaining, 1000);
  EXPECT_EQ(now.requests.remaining, 9);
}

TEST(Limiter, MovedPermitSettlesOnce) {
  FakeClock clock;
  Limiter limiter(clock);
  const Limits limits{.rpm = 0, .tpm = 1000};
  auto admitted = limiter.admit(kKey, limits, 500);
  Permit permit = *std::move(admitted);
  Permit second = std::move(permit);
  second.settle(100);
  second.settle(900);
  permit = std::move(second);
  EXPECT_EQ(limiter.snapshot(kKey, limits).tokens.remaining, 900);
}

TEST(Limiter, SurplusCountsFromNowDeficitFromAdmission) {
  FakeClock clock;
  Limiter limiter(clock);
  const Limits limits{.rpm = 0, .tpm = 1000};
  auto cheap = limiter.admit(kKey, limits, 400);
  auto dear = limiter.admit(kKey, limits, 400);
  clock.advance(seconds(50));
  cheap->settle(100);
  dear->settle(900);
  EXPECT_EQ(limiter.snapshot(kKey, limits).tokens.remaining, 0);  // 100 + 400, and 500 dated now
  clock.advance(seconds(11));
  EXPECT_EQ(limiter.snapshot(kKey, limits).tokens.remaining, 500);
  clock.advance(seconds(50));
  EXPECT_EQ(limiter.snapshot(kKey, limits).tokens.remaining, 1000);
}

TEST(Limiter, StreamLongerThanTheWindowIsStillCharged) {
  FakeClock clock;
  Limiter limiter(clock);
  const Limits limits{.rpm = 0, .tpm = 1000};
  auto stream = limiter.admit(kKey, limits, 100);
  clock.advance(seconds(3600));
  stream->settle(800);
  EXPECT_EQ(limiter.snapshot(kKey, limits).tokens.remaining, 300);
}

TEST(Limiter, UnlimitedKeepsNothing) {
  FakeClock clock;
  Limiter limiter(clock);
  for (int i = 0; i < 1000; ++i) {
    auto permit = limiter.admit(ApiKeyId{i}, {}, 1'000'000);
    ASSERT_TRUE(permit.ok());
    permit->settle(5);
  }
  EXPECT_EQ(limiter.tracked_keys(), 0u);
}

TEST(Limiter, LoweredLimitIsInForceAtOnce) {
  FakeClock clock;
  Limiter limiter(clock);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(limiter.admit(kKey, {.rpm = 10, .tpm = 0}, 0).ok());
  EXPECT_FALSE(limiter.admit(kKey, {.rpm = 5, .tpm = 0}, 0).ok());
  EXPECT_TRUE(limiter.admit(kKey, {.rpm = 11, .tpm = 0}, 0).ok());
}

TEST(Limiter, AbsurdTokenCountsNeitherOverflowNorCredit) {
  FakeClock clock;
  Limiter limiter(clock);
  const Limits limits{.rpm = 0, .tpm = INT64_MAX};
  for (int i = 0; i < 100; ++i) {
    auto permit = limiter.admit(kKey, limits, INT64_MAX);
    ASSERT_TRUE(permit.ok());
    permit->settle(INT64_MAX);
  }
  EXPECT_EQ(limiter.snapshot(kKey, limits).tokens.remaining, INT64_MAX - 100 * kMaxTokens);
  const Limits small{.rpm = 0, .tpm = 100};
  auto negative = limiter.admit(ApiKeyId{8}, small, -50);
  negative->settle(-50);
  EXPECT_EQ(limiter.snapshot(ApiKeyId{8}, small).tokens.remaining, 100);
}

// Arrivals that try to slip through: bursts at the edges of seconds, pauses around a minute, jumps
// of hours.
Duration adversarial_pause() {
  static const std::vector<Duration> kPauses{Duration(0),
                                             Duration(0),
                                             Duration(0),
                                             Duration(1),
                                             milliseconds(1),
                                             milliseconds(999),
                                             milliseconds(500),
                                             seconds(1),
                                             seconds(1) - Duration(1),
                                             seconds(59),
                                             seconds(60) - Duration(1),
                                             seconds(60),
                                             seconds(60) + Duration(1),
                                             seconds(61),
                                             seconds(61) - Duration(1),
                                             seconds(7200)};
  return *rc::gen::elementOf(kPauses);
}

Duration adversarial_pause_of(uint64_t draw) {
  static constexpr Duration kJumps[] = {seconds(1) - Duration(1), seconds(59), seconds(60),
                                        seconds(61), seconds(7200)};
  return kJumps[draw % std::size(kJumps)];
}

RC_GTEST_PROP(LimiterProperty, NeverAboveTheLimitInAnyTrailingMinute, ()) {
  FakeClock clock;
  clock.advance(Duration(*rc::gen::inRange(0, 1'000'000'000)));
  Limiter limiter(clock);
  const Limits limits{.rpm = *rc::gen::inRange(1, 8), .tpm = *rc::gen::inRange(1, 60)};
  ReferenceLog truth;
  struct Running {
    Permit permit;
    size_t event;
  };
  std::deque<Running> running;
  const int steps = *rc::gen::inRange(1, 200);
  for (int i = 0; i < steps; ++i) {
    clock.advance(adversarial_pause());
    if (!running.empty() && *rc::gen::inRange(0, 3) == 0) {
      const int actual = *rc::gen::inRange(0, 90);
      running.front().permit.settle(actual);
      truth.settle(running.front().event, clock.now(), actual);
      running.pop_front();
      continue;
    }
    const int tokens = *rc::gen::inRange<int>(0, static_cast<int>(limits.tpm) + 1);
    auto admitted = limiter.admit(kKey, limits, tokens);
    if (!admitted) {
      RC_ASSERT(admitted.error().retry_after.has_value());
      RC_ASSERT(*admitted.error().retry_after > milliseconds(0));
      RC_ASSERT(*admitted.error().retry_after <= milliseconds(61'000));
      continue;
    }
    running.push_back({*std::move(admitted), truth.admit(clock.now(), tokens)});
    RC_ASSERT(truth.requests(clock.now()) <= limits.rpm);
    RC_ASSERT(truth.tokens(clock.now()) <= limits.tpm);
  }
}

RC_GTEST_PROP(LimiterProperty, RefusesOnlyWhatTheLast61SecondsExplain, ()) {
  FakeClock clock;
  Limiter limiter(clock);
  const Limits limits{.rpm = *rc::gen::inRange(1, 6), .tpm = 0};
  std::vector<Instant> admitted;
  for (int i = 0; i < 120; ++i) {
    clock.advance(adversarial_pause());
    const auto outcome = limiter.admit(kKey, limits, 0);
    const Instant now = clock.now();
    const auto recent = std::count_if(admitted.begin(), admitted.end(),
                                      [&](Instant t) { return t > now - seconds(61); });
    if (outcome.ok()) {
      admitted.push_back(now);
    } else {
      RC_ASSERT(recent >= limits.rpm);
    }
  }
}

RC_GTEST_PROP(LimiterProperty, RetryAfterIsExact, ()) {
  FakeClock clock;
  Limiter limiter(clock);
  const Limits limits{.rpm = *rc::gen::inRange(1, 6), .tpm = *rc::gen::inRange(10, 40)};
  std::vector<Permit> running;
  for (int i = 0; i < 60; ++i) {
    clock.advance(adversarial_pause());
    const int tokens = *rc::gen::inRange(0, 11);
    auto outcome = limiter.admit(kKey, limits, tokens);
    if (!outcome) {
      const milliseconds wait = *outcome.error().retry_after;
      clock.advance(wait - milliseconds(1));
      RC_ASSERT(!limiter.admit(kKey, limits, tokens).ok());
      clock.advance(milliseconds(1));
      outcome = limiter.admit(kKey, limits, tokens);
      RC_ASSERT(outcome.ok());
    }
    running.push_back(*std::move(outcome));
  }
}

TEST(Limiter, SteadyLoadIsAtMostTwoPercentBelow) {
  FakeClock clock;
  clock.advance(milliseconds(317));
  Limiter limiter(clock);
  const Limits limits{.rpm = 600, .tpm = 0};
  int64_t admitted = 0;
  constexpr int kMinutes = 50;
  for (int i = 0; i < kMinutes * 60 * 40; ++i) {  // 40/s offered, 10/s allowed
    admitted += limiter.admit(kKey, limits, 0).ok();
    clock.advance(milliseconds(25));
  }
  EXPECT_GE(admitted, kMinutes * limits.rpm * 98 / 100);
  EXPECT_LE(admitted, kMinutes * limits.rpm);
}

TEST(Limiter, ThreadsTogetherStayWithinTheLimit) {
  FakeClock clock;
  Limiter limiter(clock);
  const Limits limits{.rpm = 1000, .tpm = 5000};
  std::atomic<int> admitted{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 2000; ++i) {
          auto permit = limiter.admit(kKey, limits, 10);
          if (!permit) continue;
          permit->settle(i % 2 == 0 ? 10 : 0);
          admitted += i % 2 == 0;
        }
      });
    }
  }
  EXPECT_LE(admitted, 500);
  EXPECT_GE(limiter.snapshot(kKey, limits).tokens.remaining, 0);
  EXPECT_EQ(limiter.snapshot(kKey, limits).tokens.remaining, 5000 - 10 * admitted);
}

TEST(Limiter, AMillionKeysAreForgottenWhenIdle) {
  FakeClock clock;
  Limiter limiter(clock);
  constexpr int kKeys = 1'000'000;
  const Limits limits{.rpm = 60, .tpm = 1000};
  for (int i = 1; i <= kKeys; ++i) limiter.admit(ApiKeyId{i}, limits, 100)->settle(50);
  EXPECT_EQ(limiter.tracked_keys(), static_cast<size_t>(kKeys));
  EXPECT_EQ(limiter.snapshot(ApiKeyId{kKeys / 2}, limits).tokens.remaining, 950);
  clock.advance(seconds(61));
  for (int i = kKeys; i < kKeys * 2; ++i) limiter.admit(ApiKeyId{i}, limits, 100)->settle(50);
  EXPECT_LE(limiter.tracked_keys(), static_cast<size_t>(kKeys) + kShards);
}

// Every key has its own exact log: the times of its last admissions.
TEST(Limiter, AMillionKeysAreExactOverJumpsOfBothClocks) {
  FakeClock clock;
  Limiter limiter(clock);
  constexpr uint64_t kKeys = 1'000'000;
  constexpr size_t kLimit = 2;
  const Limits limits{.rpm = kLimit, .tpm = 0};
  std::vector<std::array<Instant, kLimit>> log(kKeys);  // the oldest first
  base::SeededRandom random(20);
  uint64_t admitted = 0;
  uint64_t refused_early = 0;
  for (int i = 0; i < 1'500'000; ++i) {
    // Half of the arrivals go to a few hundred keys, which so meet their limit again and again.
    const uint64_t draw = random.next_u64();
    const uint64_t key = draw % 2 == 0 ? draw / 2 % 500 : draw / 2 % kKeys;
    if (i % 100'000 == 0) clock.advance(adversarial_pause_of(draw));
    if (i % 70'000 == 0) clock.set_wall(base::WallTime(seconds(draw % 4'000'000'000)));
    clock.advance(std::chrono::microseconds(draw % 300));
    const Instant now = clock.now();
    auto& times = log[key];
    const bool ok = limiter.admit(ApiKeyId{static_cast<int64_t>(key) + 1}, limits, 0).ok();
    if (ok) {
      ++admitted;
      ASSERT_LE(times[0], now - seconds(60)) << "a third one within a minute";
      times = {times[1], now};
    } else {
      refused_early += times[0] <= now - seconds(61);
    }
  }
  EXPECT_EQ(refused_early, 0u) << "released at most a second late";
  EXPECT_GT(admitted, 600'000u);
}

}  // namespace
}  // namespace deeppool::ratelimit
