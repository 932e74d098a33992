// Policies are written by users. Whatever the text: no crash, the same answer twice, faults with
// lines that exist, and a policy without faults keeps its promises.
#include <algorithm>
#include <cstdlib>

#include "routing/limits.h"
#include "routing/policy.h"

namespace {

using namespace deeppool::routing;

void must(bool holds) {
  if (!holds) std::abort();
}

void judge(const Policy& policy, size_t children) {
  const auto sound = [children](const Targets& targets) {
    Targets sorted = targets;
    std::ranges::sort(sorted);
    must(std::ranges::adjacent_find(sorted) == sorted.end());
    must(sorted.empty() || sorted.back() < children);
  };
  sound(policy.default_targets);
  must(policy.rules.size() <= kMaxRules);
  must(policy.weights.empty() || policy.weights.size() == children);
  for (const Rule& rule : policy.rules) {
    must(!rule.targets.empty() && !rule.name.empty());
    sound(rule.targets);
    must(rule.condition.input_tokens.min <= rule.condition.input_tokens.max);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const std::vector<std::string> children = {"model-a", "model-b", "c"};
  const auto lines = static_cast<int>(std::ranges::count(text, '\n')) + 2;
  for (const Naming naming : {Naming::children, Naming::anything}) {
    const ReadPolicy first = read_policy(text, children, naming);
    const ReadPolicy again = read_policy(text, children, naming);
    must(to_text(first.faults) == to_text(again.faults));
    must(first.faults.size() <= kMaxFaults);
    for (const Fault& fault : first.faults) {
      // A carriage return alone ends a line for YAML, too.
      must(fault.line >= 1 && fault.line <= lines + std::ranges::count(text, '\r'));
    }
    if (first.ok()) judge(first.policy, children.size());
  }
  return 0;
}
