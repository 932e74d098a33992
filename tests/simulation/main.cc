// deeppool_simulation [--seeds A-B | --seed N] [--requests N] [--mutation NAME] [--planted]
// Prints a line per seed: its hash and what happened. Ends with 1 if a statement was broken, or,
// with --planted, if a planted fault was not found.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "base/log.h"
#include "base/text.h"
#include "tests/simulation/simulation.h"

namespace deeppool::simulation {
namespace {

struct Orders {
  uint64_t first = 1;
  uint64_t last = 10;
  int64_t requests = 2000;
  Mutation mutation = Mutation::none;
  bool planted = false;
  bool twice = false;
};

[[noreturn]] void usage() {
  std::fputs(
      "deeppool_simulation [--seeds A-B | --seed N] [--requests N] [--mutation NAME]"
      " [--twice] [--planted]\n",
      stderr);
  std::exit(2);
}

Mutation mutation_named(std::string_view name) {
  for (const Mutation each : kMutations) {
    if (to_string(each) == name) return each;
  }
  usage();
}

uint64_t number(std::string_view text) {
  const auto parsed = base::parse_int<uint64_t>(text);
  if (!parsed) usage();
  return *parsed;
}

Orders read_orders(int count, char** words) {
  Orders orders;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--planted") {
      orders.planted = true;
      continue;
    }
    if (word == "--twice") {
      orders.twice = true;
      continue;
    }
    if (++i == count) usage();
    const std::string_view value = words[i];
    if (word == "--seed" || word == "--seeds") {
      const size_t dash = value.find('-');
      orders.first = number(value.substr(0, dash));
      orders.last = dash == std::string_view::npos ? orders.first : number(value.substr(dash + 1));
    } else if (word == "--requests") {
      orders.requests = static_cast<int64_t>(number(value));
    } else if (word == "--mutation") {
      orders.mutation = mutation_named(value);
    } else {
      usage();
    }
  }
  return orders;
}

History tell(const Plan& plan) {
  History history = Simulation(plan).run();
  std::printf("seed %lu hash %016lx %s\n", plan.seed, history.hash, history.summary.c_str());
  for (const std::string& finding : history.findings) std::printf("  BROKEN %s\n", finding.c_str());
  std::fflush(stdout);
  return history;
}

bool all_hold(const Orders& orders) {
  bool all = true;
  for (uint64_t seed = orders.first; seed <= orders.last; ++seed) {
    const Plan plan{seed, orders.requests, orders.mutation};
    const History history = tell(plan);
    const bool same = !orders.twice || tell(plan).hash == history.hash;
    if (!same) std::printf("  BROKEN the same seed gave another history\n");
    if (!history.findings.empty() || !same) {
      std::printf("  again: deeppool_simulation --seed %lu --requests %ld\n", seed, plan.requests);
      all = false;
    }
  }
  return all;
}

// Each fault is found with one of a few seeds at the latest.
bool planted_are_found(const Orders& orders) {
  bool all = true;
  for (const Mutation mutation : kMutations) {
    bool found = false;
    for (uint64_t seed = orders.first; seed <= orders.last && !found; ++seed) {
      found = !Simulation({seed, orders.requests, mutation}).run().findings.empty();
    }
    std::printf("%s: %s\n", std::string(to_string(mutation)).c_str(),
                found ? "found" : "NOT FOUND");
    all = all && found;
  }
  return all;
}

int main_of(int count, char** words) {
  const Orders orders = read_orders(count, words);
  log::set_level(log::Level::off);
  const auto began = std::chrono::steady_clock::now();
  const bool well = orders.planted ? planted_are_found(orders) : all_hold(orders);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf("%s in %.1f s\n", well ? "all hold" : "FAILED", took.count());
  return well ? 0 : 1;
}

}  // namespace
}  // namespace deeppool::simulation

int main(int count, char** words) {
  try {
    return deeppool::simulation::main_of(count, words);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "deeppool_simulation: %s\n", e.what());
    return 1;
  }
}
