// One history: a seed, so many requests, everything that may go wrong, and what was wrong with the
// books afterwards. Requests and threads of up to three instances take turns, a small step each, as
// the dice say. Single thread; equal seeds give equal histories.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/checks.h"
#include "tests/simulation/instance.h"
#include "tests/simulation/mutation.h"
#include "tests/simulation/request.h"
#include "tests/simulation/world.h"

namespace deeppool::simulation {

struct Plan {
  uint64_t seed = 1;
  int64_t requests = 2000;
  Mutation mutation = Mutation::none;
};

struct History {
  uint64_t hash = 0;
  Findings findings;
  std::string summary;
};

class Simulation {
 public:
  explicit Simulation(const Plan& plan);
  History run();

 private:
  void turn();
  void pass_time();
  void start_request();
  void step_request();
  void meanwhile();
  void chore(Instance& instance);
  void misfortune();
  void kill_one();
  void long_silence();
  void reclaim_lost();
  void excuse_funds_of(const std::string& instance);
  void plant();
  void drop_requests(const Instance& instance);
  void check();
  void finish();
  void settle_down(Instance& instance);
  std::string summary();
  Instance& any_instance() { return *instances_[world_.dice.below(instances_.size())]; }
  Instance* any_working();

  const Plan plan_;
  World world_;
  std::vector<std::unique_ptr<Instance>> instances_;
  std::vector<std::unique_ptr<Request>> requests_;  // outlived by their instances
  Findings findings_;
};

}  // namespace deeppool::simulation
