// Policy: which of a hybrid's children a request goes to, as its owner wrote it in YAML, compiled:
// targets are places in the list of children. Immutable plain values, read once per edit and shared
// by all threads; matching allocates nothing. Invariant (kept by read_policy): every target is a
// child, no list of targets names one twice, and every condition can hold.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/openai/request.h"
#include "routing/policy_yaml.h"

namespace deeppool::routing {

enum class LoadBalance : uint8_t {
  least_inflight,  // fewest requests at once in this process
  round_robin,
  weighted,        // drawn by `weights`
  lowest_latency,  // the better of two drawn ones, by time to the first byte and requests at once
  lowest_cost,     // cheapest for a prompt of this length
  cache_affinity,  // the same head of a prompt goes to the same child
};
// As policies spell it: "least-inflight".
std::string_view to_string(LoadBalance strategy);

// What conditions look at.
struct Signals {
  int64_t input_tokens = 0;  // estimated: characters / 4, plus images, plus a few per message
  int64_t tool_count = 0;
  int64_t image_count = 0;
  bool has_reasoning = false;
  bool has_vision = false;
};
Signals signals_of(const llm::RequestView& view);

struct Range {
  int64_t min = 0;
  int64_t max = std::numeric_limits<int64_t>::max();
  bool holds(int64_t value) const { return value >= min && value <= max; }
};

// Every part must hold; one that was not given always does.
struct Condition {
  Range input_tokens;
  Range tool_count;
  Range image_count;
  std::optional<bool> has_tools;
  std::optional<bool> has_reasoning;
  std::optional<bool> has_vision;
  bool holds(const Signals& signals) const;
};

using Targets = std::vector<uint16_t>;  // places in the list of children

struct Rule {
  std::string name;
  Condition condition;
  Targets targets;
};

struct Policy {
  LoadBalance load_balance = LoadBalance::least_inflight;
  int64_t max_inflight_per_deepnode_child = 0;  // 0: the system's default
  std::vector<Rule> rules;
  Targets default_targets;       // empty: all children
  std::vector<int64_t> weights;  // one per child, or empty: all weigh 1

  // The first rule that holds; null if none does.
  const Rule* match(const Signals& signals) const;
};

// What a policy may name as targets.
enum class Naming : uint8_t {
  children,  // the children given and nothing else
  anything,  // a policy for many hybrids: a name that is no child is passed over, and a rule that
             // has no target left is left out
};

struct ReadPolicy {
  Policy policy;              // of no use if there are faults
  std::vector<Fault> faults;  // all that were found, by line; at most kMaxFaults
  bool ok() const { return faults.empty(); }
};
// An empty text is the policy without rules. `children` are the hybrid's, in its order.
ReadPolicy read_policy(std::string_view yaml, std::span<const std::string> children,
                       Naming naming = Naming::children);

// "line 3: ...; line 7: ...", for one-line messages.
std::string to_text(std::span<const Fault> faults);

}  // namespace deeppool::routing
