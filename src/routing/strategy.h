// The strategies: in which order a hybrid's targets are tried. Pure but for the randomness given;
// whatever the strategy, the result is the targets, each once.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "routing/policy.h"

namespace deeppool::routing {

// What strategies weigh about one target.
struct Contender {
  uint16_t child = 0;      // its place in the list of children
  std::string_view name;   // of the child
  int64_t inflight = 0;    // requests at once
  int64_t latency_us = 0;  // to the first byte; 0: not known yet
  int64_t cost = 0;        // of this request, in Money's units
  int64_t weight = 1;
};

struct Choosing {
  LoadBalance strategy = LoadBalance::least_inflight;
  uint64_t turn = 0;  // grows by one with every plan of the hybrid
  uint64_t head = 0;  // hash of the prompt's head, for cache_affinity
};

// The first to be tried comes first.
void order(std::span<Contender> targets, const Choosing& choosing, base::Random& random);

// FNV-1a with a final mix, so that near texts are far apart.
uint64_t hash_of(std::string_view text);

}  // namespace deeppool::routing
