#include "provider/anthropic/thinking.h"

#include <algorithm>

#include "json/reader.h"
#include "provider/anthropic/content.h"

namespace deeppool::provider::anthropic {
namespace {

using Knob = ReasoningKnob;

// What a switch without a measure means where a budget must be named.
constexpr Effort kUsualEffort = Effort::medium;

std::string_view type_of(std::string_view thinking) {
  if (thinking.empty()) return {};
  json::Reader reader(thinking);
  std::string_view type;
  for (json::Members members(reader); members.next();) {
    if (members.key() == "type") {
      type = read_raw_string(reader);
    } else {
      reader.skip();
    }
  }
  return type;
}

bool has_budget(std::string_view thinking) {
  json::Reader reader(thinking);
  bool found = false;
  for (json::Members members(reader); members.next();) {
    found = found || members.key() == "budget_tokens";
    reader.skip();
  }
  return found;
}

Thinking think_adaptively(std::string_view word, const ClaudeModel& model) {
  Thinking plan;
  plan.on = true;
  plan.effort = word;
  plan.json = model.hides_thinking ? R"({"type":"adaptive","display":"summarized"})"
                                   : R"({"type":"adaptive"})";
  return plan;
}

// The house's order of the words that Claude has for effort.
bool above_high(std::string_view word) {
  return word == "xhigh" || word == "max";
}

// Thinking is left out of this turn; the effort may stay.
Thinking barred(const ReasoningRow& row, const ThinkingAsked& asked) {
  Thinking plan;
  plan.dropped = true;
  if (row.knob != Knob::claude_adaptive) return plan;
  if (row.word(Effort::none) == kReasoningOff) plan.json = R"({"type":"disabled"})";
  if (asked.effort) plan.effort = row.word(*asked.effort);
  if (above_high(plan.effort)) plan.effort = "high";  // more goes only with thinking
  return plan;
}

Thinking think_within(int64_t budget, const ThinkingAsked& asked) {
  Thinking plan;
  if (asked.max_tokens <= kLeastThinkingBudget) {
    plan.dropped = true;
    return plan;
  }
  budget = std::clamp(budget, kLeastThinkingBudget, asked.max_tokens - 1);
  plan.on = true;
  plan.json = R"({"type":"enabled","budget_tokens":)" + std::to_string(budget) + "}";
  return plan;
}

Thinking switch_off(const ReasoningRow& row) {
  Thinking plan;
  if (row.knob != Knob::claude_adaptive) return plan;  // off unless asked for
  if (row.word(Effort::none) == kReasoningOff) {
    plan.json = R"({"type":"disabled"})";
  } else {
    plan.effort = row.word(Effort::low);  // the nearest that can be had
  }
  return plan;
}

// Whether the model takes the caller's own words for thinking.
bool speaks(const ReasoningRow& row, std::string_view type, std::string_view thinking) {
  const bool adaptive = row.knob == Knob::claude_adaptive;
  if (type == "enabled") return row.knob == Knob::claude_budget && has_budget(thinking);
  if (type == "disabled") return adaptive && row.word(Effort::none) == kReasoningOff;
  return adaptive;
}

}  // namespace

Thinking plan_thinking(const ReasoningRow& row, const ClaudeModel& model,
                       const ThinkingAsked& asked) {
  const std::string_view type = type_of(asked.thinking);
  const bool wanted_off = type == "disabled";
  if (!type.empty() && (wanted_off || !asked.barred) && speaks(row, type, asked.thinking)) {
    Thinking plan;
    plan.json = asked.thinking;
    plan.on = type != "disabled";
    return plan;
  }
  const bool measured = asked.effort.has_value();
  if (!measured && !asked.switched && type.empty()) return {};
  const bool off = measured       ? *asked.effort == Effort::none
                   : type.empty() ? !*asked.switched
                                  : type == "disabled";
  if (off) return switch_off(row);
  if (asked.barred && row.knob != Knob::fixed) return barred(row, asked);
  switch (row.knob) {
    case Knob::claude_adaptive:
      return think_adaptively(measured ? row.word(*asked.effort) : std::string_view(), model);
    case Knob::claude_budget:
      return think_within(
          row.budget(asked.effort.value_or(kUsualEffort), asked.max_tokens).value_or(0), asked);
    default: {
      Thinking plan;
      plan.dropped = true;
      return plan;
    }
  }
}

}  // namespace deeppool::provider::anthropic
