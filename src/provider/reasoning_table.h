// What each family of models calls its reasoning: `reasoning_effort` and the older
// `enable_thinking` of a house request to the vendor's own knob and words, per model, as dated
// rows. Data and a lookup; pure. The adapters write what a row says. Vendors change this monthly:
// edit the rows and their date, not the code.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace deeppool::provider {

// The house's ladder.
enum class Effort : uint8_t { none, minimal, low, medium, high, xhigh, max };
inline constexpr size_t kEffortCount = 7;
// Nothing for a word that is not on the ladder.
std::optional<Effort> parse_effort(std::string_view word);

enum class ReasoningKnob : uint8_t {
  fixed,                // there is none: it thinks always, or never
  effort,               // reasoning_effort: word
  thinking_type,        // thinking:{type: word}
  thinking_and_effort,  // thinking:{type:enabled} and reasoning_effort: word; or type disabled
  enable_thinking,      // enable_thinking: true or false
  thinking_budget,      // enable_thinking and thinking_budget: word
  claude_adaptive,      // thinking:{type:adaptive} and output_config.effort: word
  claude_budget,        // thinking:{type:enabled, budget_tokens: word}
  gemini_level,         // thinkingConfig.thinkingLevel: word
  gemini_budget,        // thinkingConfig.thinkingBudget: word
};

// Words with a meaning of their own in rows. A budget is a number of tokens ("8192") or a share
// ("30%") of `share_of`.
inline constexpr std::string_view kReasoningOff = "off";
inline constexpr std::string_view kReasoningImpossible = "";

struct ReasoningRow {
  std::string_view provider_type;
  std::string_view models;  // lower case, '*' stands for any text; the first row that fits counts
  ReasoningKnob knob;
  std::array<std::string_view, kEffortCount> words;  // by Effort
  int64_t share_of = 0;                              // tokens; 0: the most that the model writes
  std::string_view as_of;                            // ISO date
  std::string_view source;

  std::string_view word(Effort effort) const { return words[static_cast<size_t>(effort)]; }
  // The budget that the word for `effort` says, in tokens; `most_output` is what shares are of
  // where the row names no base. Nothing for off and impossible.
  std::optional<int64_t> budget(Effort effort, int64_t most_output) const;
};

// Null: nothing is known of such a model, and what the caller said passes as it is. Case does not
// count, nor does what comes before the last '/' of the model's name.
const ReasoningRow* find_reasoning(std::string_view provider_type, std::string_view upstream_model);
std::span<const ReasoningRow> reasoning_rows();

}  // namespace deeppool::provider
