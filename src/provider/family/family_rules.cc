#include "provider/family/family_rules.h"

#include "provider/name_pattern.h"

namespace deeppool::provider::family {
namespace {

constexpr std::string_view kReasoningOfOpenAi[] = {"o1*", "o3*", "o4*", "gpt-5*", "gpt-6*"};
// Sampling is fixed in these; another value than the fixed one is an error.
constexpr std::string_view kFixedKimi[] = {"kimi-k2.5*", "kimi-k2.6*", "kimi-k2.7*", "kimi-k3*"};

constexpr std::string_view kKimiRefuses[] = {
    "temperature", "top_p", "n", "logit_bias", "presence_penalty", "frequency_penalty"};
constexpr std::string_view kGlmRefuses[] = {
    "n", "logit_bias", "logprobs", "top_logprobs", "presence_penalty", "frequency_penalty"};
constexpr std::string_view kMiniMaxRefuses[] = {"n", "logit_bias", "function_call", "functions"};
constexpr std::string_view kErnieRefuses[] = {"n", "logit_bias", "logprobs", "top_logprobs"};
constexpr std::string_view kQwenRefuses[] = {"logit_bias"};
constexpr std::string_view kDeepSeekRefuses[] = {"n", "logit_bias"};

constexpr std::string_view kNovember = "2026-11-15";

constexpr FamilyRules kRules[] = {
    {.provider_type = "custom",
     .limit_field = {},
     .limit_models = {},
     .refused = {},
     .refused_models = {},
     .as_of = kNovember,
     .source = "vLLM, SGLang, llama.cpp: OpenAI-compatible servers"},
    {.provider_type = "openai",
     .limit_field = "max_completion_tokens",
     .limit_models = kReasoningOfOpenAi,
     .takes_developer = true,
     .refused = {},
     .refused_models = {},
     .as_of = kNovember,
     .source = "platform.openai.com/docs/api-reference/chat"},
    {.provider_type = "deepseek",
     .limit_field = "max_tokens",
     .limit_models = {},
     .takes_json_schema = false,
     .refused = kDeepSeekRefuses,
     .refused_models = {},
     .as_of = kNovember,
     .source = "api-docs.deepseek.com/api/create-chat-completion"},
    {.provider_type = "qwen",
     .limit_field = "max_tokens",
     .limit_models = {},
     .refused = kQwenRefuses,
     .refused_models = {},
     .as_of = kNovember,
     .source = "alibabacloud.com/help/model-studio/compatibility-of-openai-with-dashscope"},
    {.provider_type = "kimi",
     .limit_field = {},
     .limit_models = {},
     .max_stop = 5,
     .temperature_to_one = true,
     .fetches_urls = false,
     .refused = kKimiRefuses,
     .refused_models = kFixedKimi,
     .as_of = kNovember,
     .source = "platform.moonshot.ai/docs/api/chat"},
    {.provider_type = "glm",
     .limit_field = "max_tokens",
     .limit_models = {},
     .max_stop = 1,
     .temperature_to_one = true,
     .takes_json_schema = false,
     .refused = kGlmRefuses,
     .refused_models = {},
     .as_of = kNovember,
     .source = "docs.z.ai/api-reference/llm/chat-completion"},
    {.provider_type = "ernie",
     .limit_field = {},
     .limit_models = {},
     .max_stop = 4,
     .temperature_to_one = true,
     .refused = kErnieRefuses,
     .refused_models = {},
     .as_of = kNovember,
     .source = "cloud.baidu.com/doc/qianfan-api"},
    {.provider_type = "minimax",
     .limit_field = {},
     .limit_models = {},
     .temperature_to_one = true,
     .refused = kMiniMaxRefuses,
     .refused_models = {},
     .as_of = kNovember,
     .source = "platform.minimax.io/docs/api-reference/text-openai-api"},
};

struct BackRow {
  std::string_view provider_type;
  std::string_view models;
  ReasoningBack back;
};
// As of 2026-11-15, api-docs.deepseek.com/guides/thinking_mode.
constexpr BackRow kBackRows[] = {
    {"deepseek", "*deepseek-r1*", ReasoningBack::never},
    {"deepseek", "deepseek-v4*", ReasoningBack::with_calls},
};

}  // namespace

ReasoningBack reasoning_back(std::string_view provider_type, std::string_view upstream_model) {
  const std::string_view name = upstream_model.substr(upstream_model.rfind('/') + 1);
  for (const BackRow& row : kBackRows) {
    if (row.provider_type == provider_type && fits_pattern(row.models, name)) return row.back;
  }
  return ReasoningBack::as_sent;
}

const FamilyRules& rules_for(std::string_view provider_type) {
  for (const FamilyRules& rules : kRules) {
    if (rules.provider_type == provider_type) return rules;
  }
  return kRules[0];
}

std::span<const FamilyRules> all_rules() {
  return kRules;
}

}  // namespace deeppool::provider::family
