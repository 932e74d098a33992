#include "routing/strategy.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>

namespace deeppool::routing {
namespace {

std::vector<Contender> four() {
  return {{.child = 0, .name = "a"},
          {.child = 1, .name = "b"},
          {.child = 2, .name = "c"},
          {.child = 3, .name = "d"}};
}

std::string names(const std::vector<Contender>& targets) {
  std::string out;
  for (const Contender& c : targets) out += c.name;
  return out;
}

std::string ordered(std::vector<Contender> targets, Choosing choosing, uint64_t seed = 1) {
  base::SeededRandom random(seed);
  order(targets, choosing, random);
  return names(targets);
}

TEST(Strategy, LeastInflightTakesTurnsAmongEquals) {
  auto targets = four();
  targets[0].inflight = 5;
  targets[2].inflight = 1;
  EXPECT_EQ(ordered(targets, {LoadBalance::least_inflight, 0, 0}), "bdca");
  EXPECT_EQ(ordered(targets, {LoadBalance::least_inflight, 2, 0}), "dbca");
}

TEST(Strategy, RoundRobinStartsOneFurtherEachTime) {
  const char* expected[] = {"abcd", "bcda", "cdab", "dabc", "abcd"};
  for (uint64_t turn = 0; turn < 5; ++turn) {
    EXPECT_EQ(ordered(four(), {LoadBalance::round_robin, turn, 0}), expected[turn]);
  }
}

TEST(Strategy, WeightsAreShares) {
  auto targets = four();
  targets[1].weight = 7;
  std::map<char, int> firsts;
  base::SeededRandom random(7);
  for (int i = 0; i < 10'000; ++i) {
    auto drawn = targets;
    order(drawn, {LoadBalance::weighted, 0, 0}, random);
    ++firsts[drawn[0].name[0]];
  }
  EXPECT_NEAR(firsts['b'], 7'000, 200);
  EXPECT_NEAR(firsts['a'], 1'000, 150);
}

TEST(Strategy, TheSlowestNeverComesFirst) {
  auto targets = four();
  for (size_t i = 0; i < 4; ++i) targets[i].latency_us = static_cast<int64_t>(1000 * (i + 1));
  std::map<char, int> firsts;
  base::SeededRandom random(3);
  for (int i = 0; i < 6'000; ++i) {
    auto drawn = targets;
    order(drawn, {LoadBalance::lowest_latency, 0, 0}, random);
    ++firsts[drawn[0].name[0]];
  }
  // Of two different ones drawn out of four: the best wins half, the worst none.
  EXPECT_NEAR(firsts['a'], 3'000, 200);
  EXPECT_NEAR(firsts['b'], 2'000, 200);
  EXPECT_EQ(firsts['d'], 0);
  targets[0].inflight = 9;  // 10 requests at once at 1 ms are worse than one at 4 ms
  EXPECT_EQ(ordered(targets, {LoadBalance::lowest_latency, 0, 0}).find('a'), 3u);
}

TEST(Strategy, TheCheapestComesFirst) {
  auto targets = four();
  for (size_t i = 0; i < 4; ++i) targets[i].cost = static_cast<int64_t>(10 - i);
  EXPECT_EQ(ordered(targets, {LoadBalance::lowest_cost, 3, 0}), "dcba");
  EXPECT_EQ(ordered(four(), {LoadBalance::lowest_cost, 3, 0}), "abcd");
}

// The same head has the same order whatever the turn, heads are spread, and a child that is gone
// leaves the others where they were.
TEST(Strategy, AffinityKeepsEveryHeadAtHome) {
  std::map<char, int> firsts;
  for (uint64_t i = 0; i < 4'000; ++i) {
    const uint64_t head = hash_of("prompt " + std::to_string(i));
    const std::string home = ordered(four(), {LoadBalance::cache_affinity, i, head}, i);
    EXPECT_EQ(ordered(four(), {LoadBalance::cache_affinity, i + 1, head}, i + 1), home);
    ++firsts[home[0]];
    auto without = four();
    without.erase(without.begin() + 1);
    std::string left = home;
    left.erase(left.find('b'), 1);
    EXPECT_EQ(ordered(without, {LoadBalance::cache_affinity, i, head}), left);
  }
  for (const auto& [name, count] : firsts) EXPECT_NEAR(count, 1'000, 150) << name;
}

RC_GTEST_PROP(StrategyLaw, EveryStrategyIsAPermutation, ()) {
  std::vector<Contender> targets(*rc::gen::inRange<size_t>(0, 12));
  const std::string alphabet = "abcdefghijkl";
  for (size_t i = 0; i < targets.size(); ++i) {
    targets[i] = {.child = static_cast<uint16_t>(i),
                  .name = std::string_view(alphabet).substr(i, 1),
                  .inflight = *rc::gen::inRange<int64_t>(0, 3),
                  .latency_us = *rc::gen::inRange<int64_t>(0, 3),
                  .cost = *rc::gen::inRange<int64_t>(0, 3),
                  .weight = *rc::gen::inRange<int64_t>(1, 9)};
  }
  const Choosing choosing{static_cast<LoadBalance>(*rc::gen::inRange(0, 6)),
                          *rc::gen::arbitrary<uint64_t>(), *rc::gen::arbitrary<uint64_t>()};
  std::string after = ordered(targets, choosing, *rc::gen::arbitrary<uint64_t>());
  std::ranges::sort(after);
  RC_ASSERT(after == alphabet.substr(0, targets.size()));
}

}  // namespace
}  // namespace deeppool::routing
