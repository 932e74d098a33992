#include "routing/plan.h"

#include "base/money.h"
#include "routing/limits.h"

namespace deeppool::routing {
namespace {

std::string place_text(const Plan& plan, Place place) {
  switch (place) {
    case Place::itself:
      return "the model that was asked for";
    case Place::rule_target:
      return "target of the rule `" + plan.rule->name + "`";
    case Place::default_target:
      return "default target, no rule matched";
    case Place::any_child:
      return "no rule matched and there are no default targets: every child is one";
    case Place::fallback:
      return "fallback, after the targets";
  }
  return "";
}

std::string inflight_text(int64_t count) {
  return std::to_string(count) + (count == 1 ? " request at once" : " requests at once");
}

std::string weighed_text(LoadBalance strategy, const Contender& c) {
  switch (strategy) {
    case LoadBalance::least_inflight:
      return inflight_text(c.inflight);
    case LoadBalance::round_robin:
      return "in turn";
    case LoadBalance::weighted:
      return "drawn with weight " + std::to_string(c.weight);
    case LoadBalance::lowest_latency:
      if (c.latency_us == 0) return "no latency known yet";
      return std::to_string(c.latency_us / 1000) + " ms to the first byte, " +
             inflight_text(c.inflight);
    case LoadBalance::lowest_cost:
      return "about " + base::Money::units(c.cost).to_string() + " yuan for this prompt";
    case LoadBalance::cache_affinity:
      return "by the head of the prompt";
  }
  return "";
}

std::string endpoint_text(const Candidate& c) {
  const std::string health =
      c.endpoint->health->healthy() ? "" : "; ejected for now, asked if nobody else can be";
  if (c.model->endpoints.size() < 2) return health;
  return health + "; endpoint with priority " + std::to_string(c.endpoint->priority) + ", weight " +
         std::to_string(c.endpoint->weight);
}

}  // namespace

std::string reason(const Plan& plan, const Candidate& candidate) {
  std::string text = place_text(plan, candidate.place);
  if (plan.policy != nullptr && candidate.place != Place::fallback) {
    text += ", " + weighed_text(plan.policy->load_balance, candidate.weighed) + " (" +
            std::string(to_string(plan.policy->load_balance)) + ")";
  }
  return text + endpoint_text(candidate);
}

std::string reason(const Plan& plan, const PassedOver& passed) {
  switch (passed.why) {
    case Passed::gone:
      return "there is no such enabled model";
    case Passed::no_price:
      return "it has no valid price";
    case Passed::no_endpoint:
      return "it has no enabled endpoint";
    case Passed::policy_full: {
      const int64_t limit = plan.policy->max_inflight_per_deepnode_child;
      return inflight_text(passed.inflight) + ", the policy allows " +
             std::to_string(limit > 0 ? limit : kDefaultInflightPerDeepnodeChild);
    }
  }
  return "";
}

}  // namespace deeppool::routing
