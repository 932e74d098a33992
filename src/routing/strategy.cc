#include "routing/strategy.h"

#include <algorithm>
#include <cmath>

namespace deeppool::routing {
namespace {

uint64_t mixed(uint64_t h) {
  h ^= h >> 33;
  h *= 0xff51afd7ed558ccdULL;
  h ^= h >> 33;
  h *= 0xc4ceb9fe1a85ec53ULL;
  return h ^ h >> 33;
}

// Lower is better.
struct Scored {
  double score = 0;
  size_t tie = 0;
  Contender target;
};

double score_of(const Contender& c, const Choosing& choosing, size_t rotated,
                base::Random& random) {
  switch (choosing.strategy) {
    case LoadBalance::least_inflight:
      return static_cast<double>(c.inflight);
    case LoadBalance::round_robin:
      return static_cast<double>(rotated);
    case LoadBalance::weighted:
      // Weighted order without replacement: the largest u^(1/weight) first (Efraimidis and
      // Spirakis, 2006).
      return -std::pow(random.next_unit(), 1.0 / static_cast<double>(c.weight));
    case LoadBalance::lowest_latency:
      return static_cast<double>(c.latency_us) * static_cast<double>(c.inflight + 1);
    case LoadBalance::lowest_cost:
      return static_cast<double>(c.cost);
    case LoadBalance::cache_affinity:
      // Rendezvous: each prompt has its own order of children, and a child that leaves moves only
      // its own prompts.
      return -static_cast<double>(mixed(choosing.head ^ hash_of(c.name)) >> 11);
  }
  return 0;
}

// Of two drawn at random the better one comes first: always taking the best would send a herd after
// every number that is a moment old.
void prefer_of_two(std::span<Scored> scored, base::Random& random) {
  const size_t n = scored.size();
  if (n < 3) return;
  const size_t a = random.next_u64() % n;
  const size_t b = (a + 1 + random.next_u64() % (n - 1)) % n;
  // They are sorted already.
  const size_t first = std::min(a, b);
  std::rotate(scored.begin(), scored.begin() + static_cast<ptrdiff_t>(first),
              scored.begin() + static_cast<ptrdiff_t>(first) + 1);
}

}  // namespace

uint64_t hash_of(std::string_view text) {
  uint64_t h = 0xcbf29ce484222325ULL;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return mixed(h);
}

void order(std::span<Contender> targets, const Choosing& choosing, base::Random& random) {
  const size_t n = targets.size();
  if (n < 2) return;
  std::vector<Scored> scored;
  scored.reserve(n);
  const size_t first = choosing.turn % n;
  for (size_t i = 0; i < n; ++i) {
    const size_t rotated = (i + n - first) % n;
    // The cheapest stays the cheapest; what else is equal takes turns.
    const size_t tie = choosing.strategy == LoadBalance::lowest_cost ? i : rotated;
    scored.push_back({score_of(targets[i], choosing, rotated, random), tie, targets[i]});
  }
  std::ranges::sort(scored, [](const Scored& a, const Scored& b) {
    return a.score != b.score ? a.score < b.score : a.tie < b.tie;
  });
  if (choosing.strategy == LoadBalance::lowest_latency) prefer_of_two(scored, random);
  std::ranges::transform(scored, targets.begin(), &Scored::target);
}

}  // namespace deeppool::routing
