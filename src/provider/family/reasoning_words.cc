#include "provider/family/reasoning_words.h"

#include "base/text.h"

namespace deeppool::provider::family {
namespace {

void add_type(std::string& members, std::string_view type) {
  members.append(R"(,"thinking":{"type":")").append(type).append("\"}");
}

void add_effort(std::string& members, std::string_view word) {
  members.append(R"(,"reasoning_effort":")").append(word).append("\"");
}

// For a step of the ladder whose word is not empty.
void add_step(const ReasoningRow& row, Effort effort, std::string& members) {
  const std::string_view word = row.word(effort);
  const bool off = word == kReasoningOff;
  switch (row.knob) {
    case ReasoningKnob::effort:
      return add_effort(members, word);
    case ReasoningKnob::thinking_type:
      return add_type(members, word);
    case ReasoningKnob::thinking_and_effort:
      add_type(members, off ? "disabled" : "enabled");
      if (!off) add_effort(members, word);
      return;
    case ReasoningKnob::enable_thinking:
    case ReasoningKnob::thinking_budget:
      members += off ? R"(,"enable_thinking":false)" : R"(,"enable_thinking":true)";
      if (const auto budget = row.budget(effort, 0)) {
        members += R"(,"thinking_budget":)";
        base::append_int(members, *budget);
      }
      return;
    default:
      return;
  }
}

// Thinking was switched on, and nothing said about how much.
void add_switch(const ReasoningRow& row, std::string& members) {
  switch (row.knob) {
    case ReasoningKnob::thinking_type:
      return add_type(members, row.word(Effort::medium));
    case ReasoningKnob::thinking_and_effort:
      return add_type(members, "enabled");
    case ReasoningKnob::enable_thinking:
    case ReasoningKnob::thinking_budget:
      members += R"(,"enable_thinking":true)";
      return;
    default:
      return;
  }
}

}  // namespace

void add_reasoning(const ReasoningRow& row, const AskedReasoning& asked, std::string& members,
                   std::vector<std::string>& dropped) {
  if (asked.in_own_words) return;
  const char* const said = asked.effort.empty() ? "enable_thinking" : "reasoning_effort";
  if (asked.effort.empty() && !asked.enabled) return;
  const bool on = asked.effort.empty() && *asked.enabled;
  if (on) return add_switch(row, members);
  const std::optional<Effort> effort =
      asked.effort.empty() ? std::optional(Effort::none) : parse_effort(asked.effort);
  if (!effort || row.word(*effort) == kReasoningImpossible) {
    dropped.emplace_back(said);
    return;
  }
  add_step(row, *effort, members);
}

}  // namespace deeppool::provider::family
