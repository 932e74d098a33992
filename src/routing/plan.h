// Plan: in which order endpoints are asked for one request, and why. Made per request by Routes,
// on its loop; refers to the Routes and their catalog, which the call keeps alive. Invariant: an
// endpoint is in it at most once per model, and a model is either among the candidates or among
// those that were passed over, never in both.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "provider/catalog.h"
#include "routing/policy.h"
#include "routing/strategy.h"

namespace deeppool::routing {

// How a model came to its place among the candidates.
enum class Place : uint8_t {
  itself,          // the caller named it, it is no hybrid
  rule_target,     // of the rule that matched
  default_target,  // no rule matched; the policy's default targets
  any_child,       // no rule matched, and the policy has no default targets
  fallback,        // no target of this request; tried when the targets fail
};

// Why a model is not asked.
enum class Passed : uint8_t {
  gone,         // no such model, or disabled
  no_price,     // nobody could say what its answer costs
  no_endpoint,  // none is enabled
  policy_full,  // as many requests at once as the policy allows it
};

struct Candidate {
  const provider::Model* model = nullptr;
  const provider::Endpoint* endpoint = nullptr;
  Place place = Place::itself;
  Contender weighed{};  // what the strategy saw; of hybrids only
};
struct PassedOver {
  std::string_view name;
  Passed why = Passed::gone;
  int64_t inflight = 0;
};

struct Plan {
  const provider::Model* asked = nullptr;
  const Policy* policy = nullptr;  // null: the model is no hybrid
  const Rule* rule = nullptr;      // that matched; null: none
  Signals signals;                 // of hybrids only
  std::vector<Candidate> candidates;
  std::vector<PassedOver> passed_over;
};

// Why it is where it is, in a sentence without a full stop: "target of the rule `long`, 3 requests
// at once (least-inflight)".
std::string reason(const Plan& plan, const Candidate& candidate);
std::string reason(const Plan& plan, const PassedOver& passed);

}  // namespace deeppool::routing
