// A seeded world of three endpoints, one of which misbehaves for a while, and callers who go on to
// the next endpoint when one fails. Simulated time.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <queue>

#include "provider/health.h"
#include "testing/fake_clock.h"

namespace deeppool::provider {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kTrouble{60};  // how long the first endpoint misbehaves
constexpr seconds kLength{120};
constexpr milliseconds kPatience{3000};  // for a first token

struct Fleet {
  explicit Fleet(uint64_t seed) : random(seed) {
    for (auto& h : health) h = std::make_shared<EndpointHealth>();
  }
  testing::FakeClock clock;
  base::SeededRandom random;
  std::array<std::shared_ptr<EndpointHealth>, 3> health;
  base::Instant began = clock.now();
  int asked = 0;
  int unanswered = 0;
  int failed_at_sick = 0;
  int failed_before_ejection = 0;
  base::Duration back_after = base::Duration::max();
};

struct Reply {
  bool good = true;
  base::Duration after = milliseconds(20);
  Fault fault = Fault::server_error;
};
using Sickness = std::function<Reply(base::Random&)>;

// One caller, one request at a time, as many as fit into the time.
void simulate(Fleet& f, const Sickness& sick) {
  while (f.clock.now() - f.began < kLength) {
    ++f.asked;
    bool answered = false;
    size_t first = f.random.next_u64() % 3;
    for (size_t i = 0; i < 3 && !answered; ++i) {
      const size_t which = (first + i) % 3;
      auto entry = f.health[which]->enter(0, f.clock.now());
      if (!entry.slot) continue;
      const bool trouble = which == 0 && f.clock.now() - f.began < kTrouble;
      const Reply reply = trouble ? sick(f.random) : Reply{};
      f.clock.advance(reply.after);
      if (reply.good) {
        entry.slot.succeeded(f.clock.now());
        answered = true;
        continue;
      }
      if (f.health[0]->view(f.clock.now()).ejections == 0) ++f.failed_before_ejection;
      entry.slot.failed(reply.fault, {}, f.clock.now(), f.random);
      ++f.failed_at_sick;
    }
    if (!answered) ++f.unanswered;
    const base::Duration since_cure = f.clock.now() - f.began - kTrouble;
    if (since_cure >= base::Duration::zero() && f.health[0]->healthy()) {
      f.back_after = std::min(f.back_after, since_cure);
    }
    f.clock.advance(milliseconds(5));
  }
}

void expect_good(const Fleet& f, int failures_allowed) {
  EXPECT_EQ(f.unanswered, 0) << "of " << f.asked;
  EXPECT_LE(f.failed_before_ejection, failures_allowed);
  EXPECT_LE(f.back_after, seconds(30));
  EXPECT_GT(f.asked, 500);
}

TEST(HealthSimulation, ADeadEndpoint) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Fleet f(seed);
    simulate(f, [](base::Random&) { return Reply{false, milliseconds(1), Fault::connect}; });
    expect_good(f, 3);
    EXPECT_LE(f.failed_at_sick, 10) << "three, then one for each growing ejection";
  }
}

TEST(HealthSimulation, AnEndpointThatFailsHalfOfTheTime) {
  int beyond_three = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Fleet f(seed);
    simulate(f, [](base::Random& random) {
      return Reply{random.next_unit() < 0.5, milliseconds(10), Fault::server_error};
    });
    expect_good(f, 8);
    if (f.failed_before_ejection > 3) ++beyond_three;
    EXPECT_LE(f.failed_at_sick, 40);
  }
  EXPECT_LE(beyond_three, 10) << "of 200";
}

TEST(HealthSimulation, AnEndpointThatIsTooLate) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Fleet f(seed);
    simulate(f, [](base::Random&) { return Reply{false, kPatience, Fault::timeout}; });
    expect_good(f, 3);
    EXPECT_LE(f.failed_at_sick, 10);
  }
}

}  // namespace
}  // namespace deeppool::provider
