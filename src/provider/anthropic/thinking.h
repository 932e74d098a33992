// Whether and how long Claude is asked to think, from what a house request says of reasoning.
// Pure; the words per model are data (reasoning_table.h, claude_models.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "provider/anthropic/claude_models.h"
#include "provider/reasoning_table.h"

namespace deeppool::provider::anthropic {

inline constexpr int64_t kLeastThinkingBudget = 1024;  // tokens; Anthropic's own bound

struct ThinkingAsked {
  std::optional<Effort> effort;  // reasoning_effort
  std::optional<bool> switched;  // enable_thinking; counts where there is no effort
  std::string_view thinking;     // in Anthropic's words, a JSON object; empty: none
  int64_t max_tokens = 0;        // of the answer, thoughts included
  // What thinking cannot be combined with: a tool that must be called, an answer that is begun
  // already, or results of calls that were made without a signed thought.
  bool barred = false;
};

struct Thinking {
  std::string json;         // value of `thinking`; empty: left out
  std::string_view effort;  // value of output_config.effort; empty: left out
  bool on = false;          // as far as we asked for it
  bool dropped = false;     // it was asked for and cannot be had
};

Thinking plan_thinking(const ReasoningRow& row, const ClaudeModel& model,
                       const ThinkingAsked& asked);

}  // namespace deeppool::provider::anthropic
