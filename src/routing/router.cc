#include "routing/router.h"

#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "governance/pricing/charge.h"
#include "llm/limits.h"
#include "routing/limits.h"

namespace deeppool::routing {
namespace {

using provider::Endpoint;
using provider::Model;

// By priority (higher first), within one priority drawn by weight.
std::vector<const Endpoint*> endpoints_in_order(const Model& model, base::Random& random) {
  if (model.endpoints.size() == 1) return {model.endpoints.front().get()};
  struct Drawn {
    const Endpoint* endpoint;
    double ticket;
  };
  std::vector<Drawn> drawn;
  drawn.reserve(model.endpoints.size());
  for (const auto& endpoint : model.endpoints) {
    // Weighted order without replacement, as in strategy.cc.
    const double weight = static_cast<double>(std::max<int64_t>(1, endpoint->weight));
    drawn.push_back({endpoint.get(), std::pow(random.next_unit(), 1.0 / weight)});
  }
  std::ranges::sort(drawn, [](const Drawn& a, const Drawn& b) {
    if (a.endpoint->priority != b.endpoint->priority) {
      return a.endpoint->priority > b.endpoint->priority;
    }
    return a.ticket > b.ticket;
  });
  std::vector<const Endpoint*> order;
  order.reserve(drawn.size());
  for (const Drawn& d : drawn) order.push_back(d.endpoint);
  return order;
}

std::vector<std::string> names_of(const Model& hybrid) {
  std::vector<std::string> names;
  for (const provider::Child& child : hybrid.children) names.push_back(child.name);
  return names;
}

// One plan in the making.
class Planner {
 public:
  Planner(const Asking& asking, const Hybrid& hybrid, base::Random& random)
      : asking_(asking), children_(asking.model.children), hybrid_(hybrid), random_(random) {}

  Plan make() {
    plan_.asked = &asking_.model;
    plan_.policy = &hybrid_.policy;
    plan_.signals = signals_of(asking_.view);
    plan_.rule = hybrid_.policy.match(plan_.signals);
    const Targets& targets = plan_.rule ? plan_.rule->targets : hybrid_.policy.default_targets;
    std::vector<bool> placed(children_.size());
    std::vector<Contender> contenders;
    if (targets.empty()) {
      for (size_t i = 0; i < children_.size(); ++i) contenders.push_back(weigh(i));
      placed.assign(children_.size(), true);
    }
    for (const uint16_t target : targets) {
      contenders.push_back(weigh(target));
      placed[target] = true;
    }
    std::erase_if(contenders, [this](const Contender& c) { return !usable(c); });
    order(contenders, choosing(), random_);
    const Place place = plan_.rule        ? Place::rule_target
                        : targets.empty() ? Place::any_child
                                          : Place::default_target;
    for (const Contender& c : contenders) add(c, place);
    for (size_t i = 0; i < children_.size(); ++i) {
      if (placed[i]) continue;
      const Contender c = weigh(i);
      if (usable(c)) add(c, Place::fallback);
    }
    std::ranges::move(later_, std::back_inserter(plan_.candidates));
    return std::move(plan_);
  }

 private:
  Contender weigh(size_t place) {
    Contender c;
    c.child = static_cast<uint16_t>(place);
    c.name = children_[place].name;
    if (!hybrid_.policy.weights.empty()) c.weight = hybrid_.policy.weights[place];
    const Model* model = children_[place].model.get();
    if (model == nullptr) return c;
    add_load(*model, c);
    if (hybrid_.policy.load_balance == LoadBalance::lowest_cost) c.cost = cost_of(*model);
    return c;
  }

  // All that its endpoints have in hand, and how soon the best of the healthy ones answers.
  void add_load(const Model& model, Contender& c) const {
    for (const auto& endpoint : model.endpoints) {
      const provider::EndpointHealth& health = *endpoint->health;
      c.inflight += health.inflight();
      const int64_t us =
          std::chrono::duration_cast<std::chrono::microseconds>(health.latency(asking_.now))
              .count();
      if (!health.healthy() || us == 0) continue;
      c.latency_us = c.latency_us == 0 ? us : std::min(c.latency_us, us);
    }
  }

  // Of an answer of the length that the caller allows.
  int64_t cost_of(const Model& model) const {
    llm::Usage usage;
    usage.prompt_tokens = std::min(plan_.signals.input_tokens, llm::kMaxTokens);
    usage.completion_tokens = asking_.view.max_tokens.value_or(kAssumedOutputTokens);
    const auto cost = governance::charge(model.price.tiers, usage);
    return cost ? cost->units() : std::numeric_limits<int64_t>::max();
  }

  bool usable(const Contender& c) {
    const Model* model = children_[c.child].model.get();
    std::optional<Passed> why;
    if (model == nullptr) {
      why = Passed::gone;
    } else if (!model->price.known()) {
      why = Passed::no_price;
    } else if (model->endpoints.empty()) {
      why = Passed::no_endpoint;
    } else if (model->vendor_type == "deepnode" && c.inflight >= deepnode_limit()) {
      why = Passed::policy_full;
    }
    if (why) plan_.passed_over.push_back({c.name, *why, c.inflight});
    return !why;
  }
  int64_t deepnode_limit() const {
    const int64_t limit = hybrid_.policy.max_inflight_per_deepnode_child;
    return limit > 0 ? limit : kDefaultInflightPerDeepnodeChild;
  }

  Choosing choosing() const {
    Choosing choosing{hybrid_.policy.load_balance,
                      hybrid_.turn->fetch_add(1, std::memory_order_relaxed), 0};
    if (choosing.strategy == LoadBalance::cache_affinity) {
      const size_t begin = std::min<size_t>(asking_.view.prompt_begin, asking_.body.size());
      choosing.head = hash_of(asking_.body.substr(begin, kAffinityHeadBytes));
    }
    return choosing;
  }

  void add(const Contender& c, Place place) {
    const Model& model = *children_[c.child].model;
    size_t taken = 0;
    for (const Endpoint* endpoint : endpoints_in_order(model, random_)) {
      auto& list = taken++ < kEndpointsBeforeNextChild ? plan_.candidates : later_;
      list.push_back({&model, endpoint, place, c});
    }
  }

  const Asking& asking_;
  const std::vector<provider::Child>& children_;
  const Hybrid& hybrid_;
  base::Random& random_;
  Plan plan_;
  std::vector<Candidate> later_;  // further endpoints, after every child had its turn
};

}  // namespace

const Hybrid* Routes::hybrid(const Model& model) const {
  const auto found = hybrids_.find(&model);
  return found == hybrids_.end() ? nullptr : &found->second;
}

Plan Routes::plan(const Asking& asking, base::Random& random) const {
  if (asking.model.hybrid()) {
    if (const Hybrid* found = hybrid(asking.model)) return Planner(asking, *found, random).make();
  }
  Plan plan;
  plan.asked = &asking.model;
  const auto& endpoints = asking.model.endpoints;
  if (endpoints.size() == 1) {
    plan.candidates.push_back({&asking.model, endpoints.front().get(), Place::itself, {}});
    return plan;
  }
  plan.candidates.reserve(endpoints.size());
  for (const Endpoint* endpoint : endpoints_in_order(asking.model, random)) {
    plan.candidates.push_back({&asking.model, endpoint, Place::itself, {}});
  }
  return plan;
}

Router::Router(std::string default_policy)
    : default_policy_(std::move(default_policy)),
      current_(std::make_shared<const Routes>(std::make_shared<const provider::Catalog>(),
                                              Routes::Hybrids())) {}

std::shared_ptr<const Routes> Router::current() const {
  const std::scoped_lock lock(mutex_);
  return current_;
}

Hybrid Router::compile(const Model& model) {
  Hybrid hybrid;
  auto& turn = turns_[model.id];
  if (!turn) turn = std::make_shared<std::atomic<uint64_t>>(0);
  hybrid.turn = turn;
  const std::vector<std::string> children = names_of(model);
  if (!model.routing_policy.empty()) {
    ReadPolicy own = read_policy(model.routing_policy, children);
    if (own.ok()) {
      hybrid.policy = std::move(own.policy);
      return hybrid;
    }
    hybrid.fault = to_text(own.faults);
    log::error("a hybrid's policy is broken; the default one is in force",
               {{"model", model.name}, {"reason", hybrid.fault}});
  }
  hybrid.policy = read_policy(default_policy_, children, Naming::anything).policy;
  return hybrid;
}

void Router::rebuild(std::shared_ptr<const provider::Catalog> catalog) {
  Routes::Hybrids hybrids;
  std::unordered_map<base::ModelId, std::shared_ptr<std::atomic<uint64_t>>> kept;
  catalog->each([&](const std::shared_ptr<const Model>& model) {
    if (!model->hybrid()) return;
    hybrids[model.get()] = compile(*model);
    kept[model->id] = turns_[model->id];
  });
  turns_ = std::move(kept);
  auto fresh = std::make_shared<const Routes>(std::move(catalog), std::move(hybrids));
  const std::scoped_lock lock(mutex_);
  current_.swap(fresh);  // the old one dies after the lock, if nobody holds it
}

Result<void> check_default_policy(std::string_view yaml) {
  const ReadPolicy read = read_policy(yaml, {}, Naming::anything);
  if (read.ok()) return {};
  return Error(ErrorCode::invalid_request, to_text(read.faults));
}

}  // namespace deeppool::routing
