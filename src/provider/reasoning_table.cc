#include "provider/reasoning_table.h"

#include "base/text.h"
#include "provider/name_pattern.h"

namespace deeppool::provider {
namespace {

constexpr std::string_view kLadder[kEffortCount] = {"none", "minimal", "low", "medium",
                                                    "high", "xhigh",   "max"};

using Knob = ReasoningKnob;

constexpr std::string_view kAugust = "2026-08-31";
constexpr std::string_view kNovember = "2026-11-15";

// Where a word is empty, the model has none for that step.
constexpr ReasoningRow kRows[] = {
    // Claude. From 4.6 on it decides by itself how long to think; before, it is given a budget.
    // Fable and Mythos cannot be switched off.
    {"anthropic",
     "*claude-fable-5*",
     Knob::claude_adaptive,
     {"", "low", "low", "medium", "high", "xhigh", "max"},
     0,
     kNovember,
     "platform.claude.com/docs/en/build-with-claude/thinking-troubleshooting"},
    {"anthropic",
     "*claude-mythos*",
     Knob::claude_adaptive,
     {"", "low", "low", "medium", "high", "xhigh", "max"},
     0,
     kNovember,
     "platform.claude.com/docs/en/build-with-claude/thinking-troubleshooting"},
    {"anthropic",
     "*claude-*-4-6*",
     Knob::claude_adaptive,
     {"off", "low", "low", "medium", "high", "max", "max"},
     0,
     kNovember,
     "platform.claude.com/docs/en/build-with-claude/effort"},
    {"anthropic",
     "*claude-*-4-5*",
     Knob::claude_budget,
     {"off", "2%", "10%", "30%", "60%", "90%", "90%"},
     0,
     kNovember,
     "platform.claude.com/docs/en/build-with-claude/extended-thinking"},
    {"anthropic",
     "*claude-*-4-1*",
     Knob::claude_budget,
     {"off", "2%", "10%", "30%", "60%", "90%", "90%"},
     0,
     kAugust,
     "platform.claude.com/docs/en/build-with-claude/extended-thinking"},
    {"anthropic",
     "*claude-*-4-0*",
     Knob::claude_budget,
     {"off", "2%", "10%", "30%", "60%", "90%", "90%"},
     0,
     kAugust,
     "platform.claude.com/docs/en/build-with-claude/extended-thinking"},
    {"anthropic",
     "*claude-*-4-20*",
     Knob::claude_budget,
     {"off", "2%", "10%", "30%", "60%", "90%", "90%"},
     0,
     kAugust,
     "platform.claude.com/docs/en/build-with-claude/extended-thinking"},
    {"anthropic",
     "*claude-3-7*",
     Knob::claude_budget,
     {"off", "2%", "10%", "30%", "60%", "90%", "90%"},
     0,
     kAugust,
     "platform.claude.com/docs/en/build-with-claude/extended-thinking"},
    {"anthropic", "*claude-3-*", Knob::fixed, {}, 0, kAugust, "platform.claude.com/docs"},
    {"anthropic",
     "*claude-*",  // 4.7, 4.8, the 5 family, and what comes after
     Knob::claude_adaptive,
     {"off", "low", "low", "medium", "high", "xhigh", "max"},
     0,
     kNovember,
     "platform.claude.com/docs/en/build-with-claude/effort"},
    {"anthropic",
     "*",  // other families behind an endpoint of this dialect
     Knob::claude_budget,
     {"off", "2%", "10%", "30%", "60%", "90%", "90%"},
     0,
     kAugust,
     "platform.claude.com/docs/en/build-with-claude/extended-thinking"},

    // Gemini. It cannot be switched off from 3 on, and never was in 2.5 Pro.
    {"gemini",
     "gemini-2.5-pro*",
     Knob::gemini_budget,
     {"128", "1024", "1024", "8192", "24576", "32768", "32768"},
     0,
     kNovember,
     "ai.google.dev/gemini-api/docs/openai and docs/thinking"},
    {"gemini",
     "gemini-2.5*",
     Knob::gemini_budget,
     {"0", "1024", "1024", "8192", "24576", "24576", "24576"},
     0,
     kNovember,
     "ai.google.dev/gemini-api/docs/openai and docs/thinking"},
    {"gemini",
     "gemini-3-pro*",
     Knob::gemini_level,
     {"low", "low", "low", "high", "high", "high", "high"},
     0,
     kNovember,
     "ai.google.dev/gemini-api/docs/thinking"},
    {"gemini",
     "gemini-3*pro*",
     Knob::gemini_level,
     {"low", "low", "low", "medium", "high", "high", "high"},
     0,
     kNovember,
     "ai.google.dev/gemini-api/docs/thinking"},
    {"gemini",
     "gemini-3.7-flash*",
     Knob::gemini_level,
     {"low", "low", "low", "medium", "high", "high", "high"},
     0,
     kNovember,
     "ai.google.dev/gemini-api/docs/thinking"},
    {"gemini",
     "gemini-3*",
     Knob::gemini_level,
     {"minimal", "minimal", "low", "medium", "high", "high", "high"},
     0,
     kNovember,
     "ai.google.dev/gemini-api/docs/thinking"},
    {"gemini", "*", Knob::fixed, {}, 0, kNovember, "ai.google.dev/gemini-api/docs/thinking"},

    // DeepSeek. V4 thinks by default, with effort high.
    {"deepseek", "*deepseek-r1*", Knob::fixed, {}, 0, kAugust, "api-docs.deepseek.com"},
    {"deepseek",
     "deepseek-v4*",
     Knob::thinking_and_effort,
     {"off", "low", "low", "high", "high", "high", "max"},
     0,
     kNovember,
     "api-docs.deepseek.com/guides/thinking_mode"},
    {"deepseek",
     "*",
     Knob::thinking_type,
     {"disabled", "enabled", "enabled", "enabled", "enabled", "enabled", "enabled"},
     0,
     kAugust,
     "api-docs.deepseek.com/guides/thinking_mode"},

    // Kimi.
    {"kimi",
     "kimi-k3*",
     Knob::effort,
     {"", "low", "low", "high", "high", "max", "max"},
     0,
     kNovember,
     "platform.moonshot.ai/docs"},
    {"kimi",
     "kimi-k2.5*",
     Knob::thinking_type,
     {"disabled", "enabled", "enabled", "enabled", "enabled", "enabled", "enabled"},
     0,
     kAugust,
     "platform.moonshot.ai/docs"},
    {"kimi",
     "kimi-k2.6*",
     Knob::thinking_type,
     {"disabled", "enabled", "enabled", "enabled", "enabled", "enabled", "enabled"},
     0,
     kAugust,
     "platform.moonshot.ai/docs"},
    {"kimi", "*", Knob::fixed, {}, 0, kAugust, "platform.moonshot.ai/docs"},

    // GLM.
    {"glm",
     "glm-5.3*",
     Knob::effort,
     {"", "low", "low", "high", "high", "max", "max"},
     0,
     kNovember,
     "docs.z.ai/guides/capabilities/thinking-mode"},
    {"glm",
     "glm-5.2*",
     Knob::thinking_and_effort,
     {"off", "off", "high", "high", "high", "max", "max"},
     0,
     kNovember,
     "docs.z.ai/guides/capabilities/thinking-mode"},
    {"glm",
     "*",
     Knob::thinking_type,
     {"disabled", "enabled", "enabled", "enabled", "enabled", "enabled", "enabled"},
     0,
     kAugust,
     "docs.z.ai/guides/capabilities/thinking-mode"},

    // Qwen on DashScope. The ones that only think refuse to be switched off.
    {"qwen",
     "qwq*",
     Knob::thinking_budget,
     {"", "2%", "10%", "30%", "60%", "90%", "100%"},
     16384,
     kAugust,
     "alibabacloud.com/help/model-studio/deep-thinking"},
    {"qwen",
     "*thinking*",
     Knob::thinking_budget,
     {"", "2%", "10%", "30%", "60%", "90%", "100%"},
     16384,
     kAugust,
     "alibabacloud.com/help/model-studio/deep-thinking"},
    {"qwen",
     "*",
     Knob::thinking_budget,
     {"off", "2%", "10%", "30%", "60%", "90%", "100%"},
     16384,
     kAugust,
     "alibabacloud.com/help/model-studio/deep-thinking"},

    // ERNIE on Qianfan, which serves other families by their own switch.
    {"ernie",
     "deepseek*",
     Knob::thinking_type,
     {"disabled", "enabled", "enabled", "enabled", "enabled", "enabled", "enabled"},
     0,
     kAugust,
     "cloud.baidu.com/doc/qianfan-api"},
    {"ernie",
     "glm*",
     Knob::thinking_type,
     {"disabled", "enabled", "enabled", "enabled", "enabled", "enabled", "enabled"},
     0,
     kAugust,
     "cloud.baidu.com/doc/qianfan-api"},
    {"ernie",
     "kimi*",
     Knob::thinking_type,
     {"disabled", "enabled", "enabled", "enabled", "enabled", "enabled", "enabled"},
     0,
     kAugust,
     "cloud.baidu.com/doc/qianfan-api"},
    {"ernie",
     "*",
     Knob::enable_thinking,
     {"off", "on", "on", "on", "on", "on", "on"},
     0,
     kAugust,
     "cloud.baidu.com/doc/qianfan-api"},

    // MiniMax. M2 cannot be switched off.
    {"minimax",
     "minimax-m3*",
     Knob::thinking_type,
     {"disabled", "adaptive", "adaptive", "adaptive", "adaptive", "adaptive", "adaptive"},
     0,
     kNovember,
     "platform.minimax.io/docs/api-reference"},
    {"minimax", "*", Knob::fixed, {}, 0, kAugust, "platform.minimax.io/docs/api-reference"},
};

}  // namespace

std::optional<Effort> parse_effort(std::string_view word) {
  for (size_t i = 0; i < kEffortCount; ++i) {
    if (word == kLadder[i]) return static_cast<Effort>(i);
  }
  return std::nullopt;
}

std::optional<int64_t> ReasoningRow::budget(Effort effort, int64_t most_output) const {
  std::string_view text = word(effort);
  const bool share = text.ends_with('%');
  if (share) text.remove_suffix(1);
  const std::optional<int64_t> number = base::parse_int<int64_t>(text);
  if (!number || !share) return number;
  return (share_of > 0 ? share_of : most_output) * *number / 100;
}

std::span<const ReasoningRow> reasoning_rows() {
  return kRows;
}

const ReasoningRow* find_reasoning(std::string_view provider_type,
                                   std::string_view upstream_model) {
  const std::string_view name = upstream_model.substr(upstream_model.rfind('/') + 1);
  for (const ReasoningRow& row : kRows) {
    if (row.provider_type == provider_type && fits_pattern(row.models, name)) return &row;
  }
  return nullptr;
}

}  // namespace deeppool::provider
