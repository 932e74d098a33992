#include "routing/policy.h"

namespace deeppool::routing {

std::string_view to_string(LoadBalance strategy) {
  switch (strategy) {
    case LoadBalance::least_inflight:
      return "least-inflight";
    case LoadBalance::round_robin:
      return "round-robin";
    case LoadBalance::weighted:
      return "weighted";
    case LoadBalance::lowest_latency:
      return "lowest-latency";
    case LoadBalance::lowest_cost:
      return "lowest-cost";
    case LoadBalance::cache_affinity:
      return "cache-affinity";
  }
  return "unknown";
}

Signals signals_of(const llm::RequestView& view) {
  const llm::Features& f = view.features;
  return {.input_tokens = view.estimated_prompt_tokens(),
          .tool_count = f.tool_count,
          .image_count = f.image_count,
          .has_reasoning = f.has_reasoning,
          .has_vision = f.has_vision};
}

bool Condition::holds(const Signals& s) const {
  const auto agrees = [](std::optional<bool> wanted, bool is) { return !wanted || *wanted == is; };
  return input_tokens.holds(s.input_tokens) && tool_count.holds(s.tool_count) &&
         image_count.holds(s.image_count) && agrees(has_tools, s.tool_count > 0) &&
         agrees(has_reasoning, s.has_reasoning) && agrees(has_vision, s.has_vision);
}

const Rule* Policy::match(const Signals& signals) const {
  for (const Rule& rule : rules) {
    if (rule.condition.holds(signals)) return &rule;
  }
  return nullptr;
}

std::string to_text(std::span<const Fault> faults) {
  std::string text;
  for (const Fault& fault : faults) {
    if (!text.empty()) text += "; ";
    text += "line " + std::to_string(fault.line) + ": " + fault.message;
  }
  return text;
}

}  // namespace deeppool::routing
