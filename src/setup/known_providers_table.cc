// The rows of known_providers.h. Facts, in own words; each with where it was read and when.
#include "setup/known_providers.h"

namespace deeppool::setup {
namespace {

constexpr std::string_view kUsd = "USD";
constexpr std::string_view kCny = "CNY";

// ---- OpenAI

constexpr std::string_view kOpenAiAudit = "github.com/TheKrush/PromptFuel/releases/tag/v1.0.21";
constexpr std::string_view kShortContext = "Longer prompts cost more.";
constexpr PublishedPrice kGpt6Sol[] = {{272'000, "2.00", "10.00", "0.20", "2.50"}};
constexpr PublishedPrice kGpt6Luna[] = {{272'000, "0.10", "0.50", "0.01", "0.125"}};
constexpr KnownModel kOpenAi[] = {
    {.id = "gpt-6-sol",
     .reasoning = true,
     .tools = true,
     .vision = true,
     .currency = kUsd,
     .prices = kGpt6Sol,
     .as_of = "2026-09-23",
     .source = kOpenAiAudit,
     .note = kShortContext},
    {.id = "gpt-6-luna",
     .reasoning = true,
     .tools = true,
     .vision = true,
     .currency = kUsd,
     .prices = kGpt6Luna,
     .as_of = "2026-09-23",
     .source = kOpenAiAudit,
     .note = kShortContext},
};

// ---- Anthropic

constexpr std::string_view kClaudeLineUp =
    "platform.claude.com/docs/about-claude/models/whats-new-opus-5";
constexpr std::string_view kClaudeAudit = "github.com/TheKrush/PromptFuel/releases/tag/v1.0.23";
constexpr PublishedPrice kOpus55[] = {{0, "4.00", "20.00", "0.20", "5.00"}};
constexpr PublishedPrice kOpus5[] = {{0, "5.00", "25.00", "0.50", "6.25"}};
constexpr PublishedPrice kSonnet55[] = {{0, "2.00", "10.00", "0.10", "2.50"}};
constexpr PublishedPrice kHaiku55[] = {
    {100'000, "0.10", "0.50", "0.01", "0.125"},
    {0, "0.50", "2.50", "0.05", "0.625"},
};
constexpr KnownModel kAnthropic[] = {
    {.id = "claude-opus-5-5",
     .context = 1'000'000,
     .max_output = 128'000,
     .reasoning = true,
     .tools = true,
     .vision = true,
     .currency = kUsd,
     .prices = kOpus55,
     .as_of = "2026-09-23",
     .source = kClaudeLineUp},
    {.id = "claude-sonnet-5-5",
     .context = 1'000'000,
     .max_output = 128'000,
     .reasoning = true,
     .tools = true,
     .vision = true,
     .currency = kUsd,
     .prices = kSonnet55,
     .as_of = "2026-10-16",
     .source = kClaudeAudit},
    {.id = "claude-haiku-5-5",
     .context = 1'000'000,
     .max_output = 128'000,
     .reasoning = true,
     .tools = true,
     .vision = true,
     .currency = kUsd,
     .prices = kHaiku55,
     .as_of = "2026-10-24",
     .source = "github.com/kurofune/claudit/releases/tag/v1.9.2"},
    {.id = "claude-opus-5",
     .context = 1'000'000,
     .max_output = 128'000,
     .reasoning = true,
     .tools = true,
     .vision = true,
     .currency = kUsd,
     .prices = kOpus5,
     .as_of = "2026-10",
     .source = kClaudeLineUp},
};

// ---- Google

constexpr std::string_view kGeminiPage = "ai.google.dev/gemini-api/docs/pricing";
constexpr PublishedPrice kGemini31Pro[] = {
    {200'000, "2.00", "12.00"},
    {0, "4.00", "18.00"},
};
constexpr PublishedPrice kGemini35Flash[] = {{0, "1.50", "9.00"}};
constexpr PublishedPrice kGemini35FlashLite[] = {{0, "0.30", "2.50"}};
constexpr PublishedPrice kGemini25Flash[] = {{0, "0.30", "2.50"}};
constexpr PublishedPrice kGemini25FlashLite[] = {{0, "0.10", "0.40"}};
constexpr KnownModel kGemini[] = {
    {.id = "gemini-3.1-pro-preview",
     .reasoning = true,
     .tools = true,
     .vision = true,
     .currency = kUsd,
     .prices = kGemini31Pro,
     .as_of = "2026-10-07",
     .source = kGeminiPage},
    {.id = "gemini-3.5-flash",
     .reasoning = true,
     .tools = true,
     .vision = true,
     .currency = kUsd,
     .prices = kGemini35Flash,
     .as_of = "2026-10-07",
     .source = kGeminiPage},
    {.id = "gemini-3.5-flash-lite",
     .reasoning = true,
     .tools = true,
     .vision = true,
     .currency = kUsd,
     .prices = kGemini35FlashLite,
     .as_of = "2026-10-07",
     .source = kGeminiPage},
    {.id = "gemini-2.5-flash",
     .reasoning = true,
     .tools = true,
     .vision = true,
     .currency = kUsd,
     .prices = kGemini25Flash,
     .as_of = "2026-10-07",
     .source = kGeminiPage,
     .note = "Audio input costs more."},
    {.id = "gemini-2.5-flash-lite",
     .reasoning = true,
     .tools = true,
     .vision = true,
     .currency = kUsd,
     .prices = kGemini25FlashLite,
     .as_of = "2026-10-07",
     .source = kGeminiPage},
};

// ---- DeepSeek

constexpr std::string_view kDeepSeekPage = "api-docs.deepseek.com/zh-cn/quick_start/pricing";
constexpr std::string_view kPeakHours =
    "Prices of peak hours (Beijing time, working days, 9-12 and 14-18); half of them at others.";
constexpr PublishedPrice kDeepSeekFlash[] = {{0, "2", "8", "0.04"}};
constexpr PublishedPrice kDeepSeekPro[] = {{0, "9", "27", "0.30"}};
constexpr KnownModel kDeepSeek[] = {
    {.id = "deepseek-flash",
     .context = 1'000'000,
     .max_output = 384'000,
     .reasoning = true,
     .tools = true,
     .vision = true,
     .currency = kCny,
     .prices = kDeepSeekFlash,
     .as_of = "2026-10",
     .source = kDeepSeekPage,
     .note = kPeakHours},
    {.id = "deepseek-v4-pro",
     .context = 1'000'000,
     .max_output = 384'000,
     .reasoning = true,
     .tools = true,
     .currency = kCny,
     .prices = kDeepSeekPro,
     .as_of = "2026-10",
     .source = kDeepSeekPage,
     .note = kPeakHours},
};

// ---- Moonshot

constexpr std::string_view kKimiGuide =
    "dev.to/teamorouter/how-to-access-kimi-k3-api-pricing-rate-limits-and-setup-guide-478g";
constexpr PublishedPrice kKimiK3Usd[] = {{0, "3.00", "15.00", "0.30"}};
constexpr PublishedPrice kKimiK3Cny[] = {{0, "20", "100", "2"}};
constexpr KnownModel kKimi[] = {
    {.id = "kimi-k3",
     .context = 1'048'576,
     .reasoning = true,
     .tools = true,
     .vision = true,
     .currency = kUsd,
     .prices = kKimiK3Usd,
     .as_of = "2026-07",
     .source = kKimiGuide},
    {.id = "kimi-k2.6",
     .context = 262'144,
     .reasoning = true,
     .tools = true,
     .vision = true,
     .currency = "",
     .prices = {},
     .as_of = "2026-07",
     .source = "chatbase.co/blog/kimi-k2-api"},
};
constexpr KnownModel kKimiChina[] = {
    {.id = "kimi-k3",
     .context = 1'048'576,
     .reasoning = true,
     .tools = true,
     .vision = true,
     .currency = kCny,
     .prices = kKimiK3Cny,
     .as_of = "2026-07",
     .source = kKimiGuide},
};

// ---- Z.ai

constexpr PublishedPrice kGlm53[] = {{0, "1.40", "4.40", "0.26"}};
constexpr KnownModel kGlm[] = {
    {.id = "glm-5.3",
     .context = 1'048'576,
     .max_output = 131'072,
     .reasoning = true,
     .tools = true,
     .currency = kUsd,
     .prices = kGlm53,
     .as_of = "2026-08-19",
     .source = "openrouter.ai/~z-ai/glm-latest"},
    {.id = "glm-5.2",
     .reasoning = true,
     .tools = true,
     .currency = kUsd,
     .prices = kGlm53,
     .as_of = "2026-08-19",
     .source = "dev.to/owen_fox/glm-53-api-pricing-endpoints-and-reasoningeffort-40oa"},
};

// ---- Alibaba

constexpr PublishedPrice kQwen37Plus[] = {{0, "0.40", "1.60"}};
constexpr KnownModel kQwen[] = {
    {.id = "qwen3.7-plus",
     .context = 1'000'000,
     .reasoning = true,
     .tools = true,
     .vision = true,
     .currency = kUsd,
     .prices = kQwen37Plus,
     .as_of = "2026-06-03",
     .source = "apidog.com/blog/how-to-use-qwen-3-7-plus-api"},
    {.id = "qwen3.7-max",
     .context = 1'000'000,
     .reasoning = true,
     .tools = true,
     .currency = "",
     .prices = {},
     .as_of = "2026-07-31",
     .source = "docs.apiyi.com/en/models/qwen3-7-max"},
};

// ---- MiniMax

constexpr PublishedPrice kMiniMaxM3[] = {
    {512'000, "0.30", "1.20", "0.06"},
    {0, "0.60", "2.40", "0.12"},
};
constexpr KnownModel kMiniMax[] = {
    {.id = "MiniMax-M3",
     .context = 1'000'000,
     .reasoning = true,
     .tools = true,
     .vision = true,
     .currency = kUsd,
     .prices = kMiniMaxM3,
     .as_of = "2026-09-11",
     .source = "dev.to/aiwave/minimax-m3-api-complete-integration-guide-1lba"},
};

constexpr std::string_view kQwenRegions =
    "dev.to/super_jarvis_76aa3fc6035d/"
    "qwen37-max-api-how-to-call-qwen-37-max-with-model-studio-4f2k";

constexpr KnownProvider kProviders[] = {
    {"openai", "OpenAI", "openai", "https://api.openai.com/v1", true,
     "https://platform.openai.com/api-keys", "2026-11", "developers.openai.com/api/docs", kOpenAi},
    {"anthropic", "Anthropic", "anthropic", "https://api.anthropic.com/v1", true,
     "https://platform.claude.com/settings/keys", "2026-11", "platform.claude.com/docs",
     kAnthropic},
    {"gemini", "Google Gemini", "gemini", "https://generativelanguage.googleapis.com/v1beta", true,
     "https://aistudio.google.com/apikey", "2026-11", "ai.google.dev/gemini-api/docs", kGemini},
    {"deepseek", "DeepSeek", "deepseek", "https://api.deepseek.com", true,
     "https://platform.deepseek.com/api_keys", "2026-10", kDeepSeekPage, kDeepSeek},
    {"kimi", "Moonshot Kimi", "kimi", "https://api.moonshot.ai/v1", true,
     "https://platform.kimi.ai", "2026-07", kKimiGuide, kKimi},
    {"kimi-cn", "Moonshot Kimi (China)", "kimi", "https://api.moonshot.cn/v1", true,
     "https://platform.moonshot.cn", "2026-07", kKimiGuide, kKimiChina},
    {"glm", "Z.ai GLM", "glm", "https://api.z.ai/api/paas/v4", true, "https://z.ai/manage-apikey",
     "2026-08", "docs.z.ai", kGlm},
    {"glm-cn",
     "Zhipu GLM (China)",
     "glm",
     "https://open.bigmodel.cn/api/paas/v4",
     true,
     "https://open.bigmodel.cn",
     "2026-08",
     "docs.bigmodel.cn",
     {}},
    {"qwen",
     "Alibaba Qwen (Beijing)",
     "qwen",
     "https://dashscope.aliyuncs.com/compatible-mode/v1",
     true,
     "https://bailian.console.aliyun.com",
     "2026-06",
     kQwenRegions,
     {}},
    {"qwen-intl", "Alibaba Qwen (Singapore)", "qwen",
     "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", true,
     "https://modelstudio.console.alibabacloud.com", "2026-06", kQwenRegions, kQwen},
    {"ernie",
     "Baidu ERNIE",
     "ernie",
     "https://qianfan.baidubce.com/v2",
     true,
     "https://console.bce.baidu.com/qianfan",
     "2026-11",
     "cloud.baidu.com/doc/qianfan",
     {}},
    {"minimax", "MiniMax", "minimax", "https://api.minimax.io/v1", true,
     "https://platform.minimax.io", "2026-09", "platform.minimax.io/docs/guides/quickstart",
     kMiniMax},
    {"vllm",
     "vLLM on this machine",
     "custom",
     "http://127.0.0.1:8000/v1",
     false,
     "",
     "2026-11",
     "docs.vllm.ai",
     {}},
    {"ollama",
     "Ollama on this machine",
     "custom",
     "http://127.0.0.1:11434/v1",
     false,
     "",
     "2026-11",
     "docs.ollama.com",
     {}},
    {"llama-cpp",
     "llama.cpp on this machine",
     "custom",
     "http://127.0.0.1:8080/v1",
     false,
     "",
     "2026-11",
     "github.com/ggml-org/llama.cpp",
     {}},
};

}  // namespace

std::span<const KnownProvider> known_providers() {
  return kProviders;
}

}  // namespace deeppool::setup
