#include "provider/health.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "testing/fake_clock.h"

namespace deeppool::provider {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Insist = EndpointHealth::Insist;
using Refusal = EndpointHealth::Refusal;

// One endpoint under a clock that the test moves.
class Watched {
 public:
  explicit Watched(uint64_t seed = 7) : random(seed) {}
  EndpointHealth::Entry enter(Insist insist = Insist::no, int64_t limit = 0) {
    return health->enter(limit, clock.now(), insist);
  }
  bool admits() { return static_cast<bool>(enter().slot); }
  void succeed(EndpointSlot& slot) { slot.succeeded(clock.now()); }
  void fail(EndpointSlot& slot, Fault fault = Fault::server_error,
            std::optional<base::Duration> retry_after = {}) {
    slot.failed(fault, retry_after, clock.now(), random);
  }
  void fail(Fault fault = Fault::server_error, std::optional<base::Duration> retry_after = {}) {
    auto entry = enter();
    fail(entry.slot, fault, retry_after);
  }
  void succeed() {
    auto entry = enter();
    succeed(entry.slot);
  }
  EndpointHealth::View view() const { return health->view(clock.now()); }
  Standing standing() const { return view().standing; }
  base::Duration left() const { return view().until - clock.now(); }
  void pass_ejection() { clock.advance(left()); }
  void eject() {
    for (int i = 0; i < kEjectAfterFailures; ++i) fail();
  }

  testing::FakeClock clock;
  base::SeededRandom random;
  std::shared_ptr<EndpointHealth> health = std::make_shared<EndpointHealth>();
};

TEST(EndpointHealth, ThreeFailuresInARowEject) {
  Watched w;
  w.fail();
  w.fail();
  EXPECT_EQ(w.standing(), Standing::healthy);
  w.fail();
  EXPECT_EQ(w.standing(), Standing::ejected);
  const auto entry = w.enter();
  EXPECT_FALSE(entry.slot);
  EXPECT_EQ(entry.refusal, Refusal::ejected);
  EXPECT_EQ(entry.until, w.view().until);
  EXPECT_FALSE(w.health->healthy());
}

TEST(EndpointHealth, ASuccessBetweenFailuresForgivesThem) {
  Watched w;
  for (int i = 0; i < 20; ++i) w.succeed();
  w.fail();
  w.fail();
  w.succeed();
  w.fail();
  w.fail();
  EXPECT_EQ(w.standing(), Standing::healthy);
  EXPECT_EQ(w.view().consecutive_failures, 2);
}

TEST(EndpointHealth, AHighErrorRateEjectsThoughSuccessesLieBetween) {
  Watched w;
  for (int i = 0; i < 2; ++i) {
    w.succeed();
    w.succeed();
    w.fail();
  }
  EXPECT_EQ(w.standing(), Standing::healthy);
  w.succeed();
  w.fail();
  EXPECT_EQ(w.standing(), Standing::ejected);
}

TEST(EndpointHealth, ALowErrorRateDoesNotEject) {
  Watched w;
  for (int i = 0; i < 100; ++i) {
    for (int good = 0; good < 9; ++good) w.succeed();
    w.fail();
  }
  EXPECT_EQ(w.standing(), Standing::healthy);
  EXPECT_DOUBLE_EQ(w.view().error_rate, 0.1);
}

TEST(EndpointHealth, TheErrorRateForgetsWhatIsLongAgo) {
  Watched w;
  for (int i = 0; i < 10; ++i) {
    w.fail();
    w.succeed();
    w.clock.advance(seconds(kErrorWindowSeconds));
  }
  EXPECT_EQ(w.standing(), Standing::healthy);
  EXPECT_EQ(w.view().recent_requests, 0);
}

TEST(EndpointHealth, OneProbeAtATimeAfterTheEjection) {
  Watched w;
  w.eject();
  w.pass_ejection();
  EXPECT_EQ(w.standing(), Standing::half_open);
  auto probe = w.enter();
  ASSERT_TRUE(probe.slot);
  EXPECT_EQ(w.enter().refusal, Refusal::ejected);
  w.succeed(probe.slot);
  EXPECT_EQ(w.standing(), Standing::healthy);
  EXPECT_TRUE(w.admits());
}

TEST(EndpointHealth, ACancelledProbeLetsTheNextOneIn) {
  Watched w;
  w.eject();
  w.pass_ejection();
  {
    const auto cancelled = w.enter();
  }
  EXPECT_EQ(w.standing(), Standing::half_open);
  EXPECT_TRUE(w.admits());
}

TEST(EndpointHealth, FailedProbesEjectTwiceAsLongUpToTheCap) {
  Watched w;
  w.eject();
  double expected = 1;
  for (int i = 0; i < 10; ++i) {
    const double length = std::chrono::duration<double>(w.left()).count();
    EXPECT_GE(length, expected * (1 - kEjectionJitter)) << i;
    EXPECT_LE(length, expected * (1 + kEjectionJitter)) << i;
    expected = std::min<double>(2 * expected, kLongestEjection.count());
    w.pass_ejection();
    w.fail();
    EXPECT_EQ(w.standing(), Standing::ejected) << i;
  }
}

TEST(EndpointHealth, TroubleSoonAfterReadmissionIsTheSameTrouble) {
  Watched w;
  w.eject();
  w.pass_ejection();
  w.succeed();
  w.eject();
  EXPECT_GT(w.left(), milliseconds(1400));
  w.pass_ejection();
  w.succeed();
  w.clock.advance(kProbation);
  w.eject();
  EXPECT_LT(w.left(), milliseconds(1300));
}

TEST(EndpointHealth, WhatBeganBeforeTheEjectionSaysNothingAfterIt) {
  Watched w;
  std::vector<EndpointHealth::Entry> crowd;
  for (int i = 0; i < 50; ++i) crowd.push_back(w.enter());
  w.eject();
  const base::Instant until = w.view().until;
  for (int i = 0; i < 25; ++i) w.fail(crowd[static_cast<size_t>(i)].slot);
  for (size_t i = 25; i < 50; ++i) w.succeed(crowd[i].slot);
  EXPECT_EQ(w.standing(), Standing::ejected);
  EXPECT_EQ(w.view().until, until);
  EXPECT_EQ(w.view().ejections, 1u);
}

TEST(EndpointHealth, WhoInsistsIsLetInAndMayReadmitItButNotProlong) {
  Watched w;
  w.eject();
  const base::Instant until = w.view().until;
  auto in_vain = w.enter(Insist::yes);
  ASSERT_TRUE(in_vain.slot);
  w.fail(in_vain.slot);
  EXPECT_EQ(w.view().until, until);
  auto lucky = w.enter(Insist::yes);
  w.succeed(lucky.slot);
  EXPECT_EQ(w.standing(), Standing::healthy);
}

TEST(EndpointHealth, RetryAfterClosesItForThatLong) {
  Watched w;
  w.fail(Fault::rate_limited, seconds(7));
  EXPECT_TRUE(w.view().told_to_wait);
  EXPECT_EQ(w.left(), seconds(7));
  const auto entry = w.enter(Insist::yes);
  EXPECT_FALSE(entry.slot);
  EXPECT_EQ(entry.refusal, Refusal::told_to_wait);
  w.clock.advance(seconds(7));
  EXPECT_TRUE(w.admits());
}

// Or one caller's 429 would fail all requests of a model that has no other endpoint, unasked.
TEST(EndpointHealth, WithinARetryAfterWhoInsistsMayLookNowAndThen) {
  Watched w;
  w.fail(Fault::rate_limited, seconds(60));
  const seconds longest_first_pause(2);  // 1 s and its jitter
  w.clock.advance(longest_first_pause);
  EXPECT_FALSE(w.admits());
  auto look = w.enter(Insist::yes);
  ASSERT_TRUE(look.slot);
  EXPECT_EQ(w.enter(Insist::yes).refusal, Refusal::told_to_wait) << "one at a time";
  w.fail(look.slot, Fault::rate_limited, seconds(58));
  look.slot.release();
  w.clock.advance(seconds(1));
  EXPECT_FALSE(w.enter(Insist::yes).slot) << "each pause is longer than the one before";
  w.clock.advance(seconds(2));
  auto lucky = w.enter(Insist::yes);
  ASSERT_TRUE(lucky.slot);
  w.succeed(lucky.slot);
  EXPECT_EQ(w.standing(), Standing::healthy);
}

TEST(EndpointHealth, RetryAfterIsBounded) {
  Watched w;
  w.fail(Fault::server_error, seconds(86'400));
  EXPECT_EQ(w.left(), kLongestRetryAfter);
}

TEST(EndpointHealth, ARateLimitWithoutAHintClosesItForAMoment) {
  Watched w;
  w.fail(Fault::rate_limited);
  EXPECT_EQ(w.standing(), Standing::ejected);
  EXPECT_LE(w.left(), milliseconds(1250));
  EXPECT_TRUE(w.enter(Insist::yes).slot);
}

TEST(EndpointHealth, ARefusedKeyEjectsAtOnceAndForLonger) {
  Watched w;
  w.fail(Fault::refused);
  EXPECT_EQ(w.standing(), Standing::ejected);
  EXPECT_GE(w.left(), seconds(22));
  EXPECT_EQ(w.view().last_fault, Fault::refused);
}

TEST(EndpointHealth, ASignOfLifeReadmitsWhoWasOutOfReachButNotWhoFailsAtItsWork) {
  Watched dead;
  for (int i = 0; i < 3; ++i) dead.fail(Fault::connect);
  EXPECT_FALSE(dead.health->wants_probe(dead.clock.now()));
  dead.pass_ejection();
  EXPECT_TRUE(dead.health->wants_probe(dead.clock.now()));
  auto look = dead.enter();
  EXPECT_FALSE(dead.health->wants_probe(dead.clock.now()));
  look.slot.lives(dead.clock.now());
  EXPECT_EQ(dead.standing(), Standing::healthy);

  Watched late;
  for (int i = 0; i < 3; ++i) late.fail(Fault::timeout);
  late.pass_ejection();
  auto sign = late.enter();
  sign.slot.lives(late.clock.now());
  EXPECT_EQ(late.standing(), Standing::half_open);
  EXPECT_FALSE(late.health->wants_probe(late.clock.now()));
  EXPECT_TRUE(late.admits());
}

TEST(EndpointHealth, CapsWhatIsInFlight) {
  Watched w;
  auto a = w.enter(Insist::no, 2);
  auto b = w.enter(Insist::no, 2);
  EXPECT_EQ(w.enter(Insist::yes, 2).refusal, Refusal::full);
  w.succeed(a.slot);
  EXPECT_EQ(w.health->inflight(), 2);  // its answer still streams
  a.slot.release();
  EXPECT_TRUE(w.enter(Insist::no, 2).slot);
  b.slot = std::move(a.slot);
  EXPECT_EQ(w.health->inflight(), 0);
}

TEST(EndpointHealth, StreamsThatBreakAfterTheirFirstEventEjectByRate) {
  Watched w;
  for (int i = 0; i < 3; ++i) {
    auto entry = w.enter();
    w.succeed(entry.slot);
    w.fail(entry.slot, Fault::stream_broken);
  }
  EXPECT_EQ(w.standing(), Standing::ejected);
}

TEST(EndpointHealth, ReadmittedByHandItStartsAfresh) {
  Watched w;
  w.eject();
  w.pass_ejection();
  w.fail();
  auto insisting = w.enter(Insist::yes);
  w.health->readmit(w.clock.now());
  EXPECT_EQ(w.standing(), Standing::healthy);
  w.fail(insisting.slot);
  EXPECT_EQ(w.view().consecutive_failures, 0);
  w.eject();
  EXPECT_LE(w.left(), milliseconds(1250));
}

TEST(EndpointHealth, LatencyRisesAtOnceAndFallsSlowly) {
  Watched w;
  const auto answer_after = [&](base::Duration d) {
    auto entry = w.enter();
    w.clock.advance(d);
    w.succeed(entry.slot);
  };
  EXPECT_EQ(w.view().latency, base::Duration(0));
  answer_after(milliseconds(100));
  EXPECT_EQ(w.view().latency, milliseconds(100));
  answer_after(milliseconds(900));
  EXPECT_EQ(w.view().latency, milliseconds(900));
  answer_after(milliseconds(100));
  EXPECT_GT(w.view().latency, milliseconds(850));
  w.clock.advance(seconds(30));
  answer_after(milliseconds(100));
  EXPECT_LT(w.view().latency, milliseconds(200));
  auto slow = w.enter();
  w.clock.advance(seconds(2));
  slow.slot.outrun(w.clock.now());
  EXPECT_GE(w.view().latency, seconds(2));
  EXPECT_LT(w.health->latency(w.clock.now() + seconds(60)), milliseconds(10));
}

TEST(EndpointHealth, AWrongRequestIsNoFailureAndNoLatency) {
  Watched w;
  w.fail();
  w.fail();
  auto entry = w.enter();
  w.clock.advance(seconds(3));
  entry.slot.answered(w.clock.now());
  EXPECT_EQ(w.view().consecutive_failures, 0);
  EXPECT_EQ(w.view().latency, base::Duration(0));
}

// Whatever happens to it.
RC_GTEST_PROP(EndpointHealth, KeepsItsLaws, ()) {
  Watched w(*rc::gen::arbitrary<uint64_t>());
  const auto limit = *rc::gen::inRange<int64_t>(0, 6);
  const auto steps = *rc::gen::container<std::vector<std::pair<int, int>>>(
      rc::gen::pair(rc::gen::inRange(0, 12), rc::gen::inRange(0, 20'000)));
  std::deque<EndpointSlot> inside;
  for (const auto& [move, n] : steps) {
    const auto before = w.view();
    const auto some = [&]() -> EndpointSlot& {
      return inside[static_cast<size_t>(n) % inside.size()];
    };
    if (move <= 3) {
      auto entry = w.enter(move == 0 ? Insist::yes : Insist::no, limit);
      RC_ASSERT(static_cast<bool>(entry.slot) == (entry.refusal == Refusal::none));
      const bool full = limit > 0 && before.inflight >= limit;
      RC_ASSERT((entry.refusal == Refusal::full) == full);
      if (!full && before.standing == Standing::healthy) RC_ASSERT(entry.slot);
      if (!full && before.standing == Standing::ejected) {
        const bool insists = move == 0;
        RC_ASSERT(insists || !entry.slot);
        RC_ASSERT(!insists || before.told_to_wait || entry.slot);
      }
      if (entry.slot) inside.push_back(std::move(entry.slot));
    } else if (move <= 5 && !inside.empty()) {
      w.succeed(some());
    } else if (move <= 8 && !inside.empty()) {
      w.fail(some(), static_cast<Fault>(n % 7),
             n % 5 == 0 ? std::optional<base::Duration>(seconds(n)) : std::nullopt);
    } else if (move == 9 && !inside.empty()) {
      std::swap(some(), inside.back());
      inside.pop_back();
    } else {
      w.clock.advance(milliseconds(n));
    }
    const auto after = w.view();
    RC_ASSERT(after.inflight == static_cast<int64_t>(inside.size()));
    RC_ASSERT(after.error_rate >= 0 && after.error_rate <= 1);
    RC_ASSERT(w.left() <= kLongestRetryAfter);
    RC_ASSERT((after.standing == Standing::healthy) == w.health->healthy());
    if (after.ejections == before.ejections + 1) RC_ASSERT(after.standing != Standing::healthy);
  }
  // However it was left, one that works again is back as soon as its ejection is over.
  inside.clear();
  if (w.standing() == Standing::ejected) w.pass_ejection();
  auto probe = w.enter();
  RC_ASSERT(probe.slot);
  w.succeed(probe.slot);
  RC_ASSERT(w.standing() == Standing::healthy);
}

}  // namespace
}  // namespace deeppool::provider
