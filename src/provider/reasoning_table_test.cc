#include "provider/reasoning_table.h"

#include <gtest/gtest.h>

#include "provider/name_pattern.h"

namespace deeppool::provider {
namespace {

TEST(NamePattern, StarsAndCase) {
  const struct {
    std::string_view pattern, name;
    bool fits;
  } cases[] = {
      {"*", "", true},
      {"gemini-3*", "gemini-3-flash", true},
      {"gemini-3*", "gemini-2.5-pro", false},
      {"gemini-3*pro*", "gemini-3.1-pro-preview", true},
      {"gemini-3*pro*", "gemini-3-flash", false},
      {"minimax-m2*", "MiniMax-M2.5", true},
      {"*-r1", "deepseek-r1", true},
      {"*-r1", "deepseek-r1-0528", false},
      {"a*b*c", "abbbbc", true},
      {"a*b*c", "abbbb", false},
      {"exact", "exact", true},
      {"exact", "exactly", false},
  };
  for (const auto& c : cases)
    EXPECT_EQ(fits_pattern(c.pattern, c.name), c.fits) << c.pattern << " " << c.name;
}

TEST(ReasoningTable, SaysEachModelsWord) {
  const struct {
    const char *type, *model;
    Effort effort;
    ReasoningKnob knob;
    const char* word;
  } cases[] = {
      {"anthropic", "claude-opus-4-5-20251101", Effort::low, ReasoningKnob::claude_budget, "10%"},
      {"anthropic", "claude-sonnet-4-20250514", Effort::none, ReasoningKnob::claude_budget, "off"},
      {"anthropic", "claude-3-7-sonnet-20250219", Effort::max, ReasoningKnob::claude_budget, "90%"},
      {"anthropic", "claude-3-5-haiku-20241022", Effort::max, ReasoningKnob::fixed, ""},
      {"anthropic", "claude-opus-4-6", Effort::xhigh, ReasoningKnob::claude_adaptive, "max"},
      {"anthropic", "claude-opus-4-7", Effort::xhigh, ReasoningKnob::claude_adaptive, "xhigh"},
      {"anthropic", "claude-sonnet-5", Effort::minimal, ReasoningKnob::claude_adaptive, "low"},
      {"anthropic", "claude-fable-5", Effort::none, ReasoningKnob::claude_adaptive, ""},
      {"anthropic", "anthropic.claude-haiku-4-5-20251001-v1:0", Effort::medium,
       ReasoningKnob::claude_budget, "30%"},
      {"anthropic", "MiniMax-M2.5", Effort::none, ReasoningKnob::claude_budget, "off"},
      {"gemini", "gemini-2.5-pro", Effort::none, ReasoningKnob::gemini_budget, "128"},
      {"gemini", "gemini-2.5-flash", Effort::none, ReasoningKnob::gemini_budget, "0"},
      {"gemini", "gemini-3-flash-preview", Effort::minimal, ReasoningKnob::gemini_level, "minimal"},
      {"gemini", "gemini-3.7-flash", Effort::minimal, ReasoningKnob::gemini_level, "low"},
      {"gemini", "gemini-3-flash", Effort::max, ReasoningKnob::gemini_level, "high"},
      {"gemini", "gemini-3.1-pro-preview", Effort::medium, ReasoningKnob::gemini_level, "medium"},
      {"deepseek", "deepseek-v4-flash", Effort::xhigh, ReasoningKnob::thinking_and_effort, "high"},
      {"deepseek", "deepseek-v4-pro", Effort::none, ReasoningKnob::thinking_and_effort, "off"},
      {"deepseek", "deepseek-chat", Effort::low, ReasoningKnob::thinking_type, "enabled"},
      {"deepseek", "deepseek-r1", Effort::low, ReasoningKnob::fixed, ""},
      {"kimi", "kimi-k3", Effort::none, ReasoningKnob::effort, ""},
      {"kimi", "moonshotai/Kimi-K3", Effort::medium, ReasoningKnob::effort, "high"},
      {"kimi", "kimi-k2.6", Effort::none, ReasoningKnob::thinking_type, "disabled"},
      {"glm", "glm-5.3", Effort::none, ReasoningKnob::effort, ""},
      {"glm", "glm-5.2", Effort::minimal, ReasoningKnob::thinking_and_effort, "off"},
      {"glm", "glm-4.6", Effort::high, ReasoningKnob::thinking_type, "enabled"},
      {"qwen", "qwen3-max", Effort::none, ReasoningKnob::thinking_budget, "off"},
      {"qwen", "qwen3-235b-a22b-thinking-2507", Effort::none, ReasoningKnob::thinking_budget, ""},
      {"ernie", "ernie-5.0-thinking-latest", Effort::low, ReasoningKnob::enable_thinking, "on"},
      {"ernie", "deepseek-v3.2", Effort::low, ReasoningKnob::thinking_type, "enabled"},
      {"minimax", "MiniMax-M3", Effort::low, ReasoningKnob::thinking_type, "adaptive"},
      {"minimax", "MiniMax-M2.5", Effort::low, ReasoningKnob::fixed, ""},
  };
  for (const auto& c : cases) {
    const ReasoningRow* row = find_reasoning(c.type, c.model);
    ASSERT_NE(row, nullptr) << c.model;
    EXPECT_EQ(row->knob, c.knob) << c.model;
    EXPECT_EQ(row->word(c.effort), c.word) << c.model;
  }
  EXPECT_EQ(find_reasoning("openai", "gpt-5"), nullptr);
  EXPECT_EQ(find_reasoning("custom", "anything"), nullptr);
}

TEST(ReasoningTable, BudgetsAreTokensOrShares) {
  const ReasoningRow* qwen = find_reasoning("qwen", "qwen-plus");
  EXPECT_EQ(qwen->budget(Effort::medium, 0), 16384 * 30 / 100);
  EXPECT_EQ(qwen->budget(Effort::none, 0), std::nullopt);
  EXPECT_EQ(find_reasoning("gemini", "gemini-2.5-pro")->budget(Effort::high, 0), 24576);
}

TEST(ReasoningTable, EveryRowIsDatedAndTellsItsSource) {
  for (const ReasoningRow& row : reasoning_rows()) {
    EXPECT_EQ(row.as_of.size(), 10u) << row.models;
    EXPECT_FALSE(row.source.empty()) << row.models;
  }
}

}  // namespace
}  // namespace deeppool::provider
