#include <gtest/gtest.h>

#include "provider/adapter.h"
#include "provider/family/family_rules.h"
#include "testing/fake_clock.h"
#include "testing/golden.h"

namespace deeppool::provider::family {
namespace {

struct Said {
  std::string body;
  std::string dropped;  // names, joined by spaces
};

Said said_to(const char* provider_type, const char* model, std::string_view house,
             int64_t limit = 0) {
  const testing::FakeClock clock;
  const Adapters adapters(clock);
  const json::PaddedBytes body(house);
  const auto view = llm::parse_request(llm::Api::chat_completions, body);
  if (!view) throw std::runtime_error(view.error().message);
  Endpoint endpoint;
  endpoint.provider_type = provider_type;
  endpoint.upstream_model = model;
  const Model of;
  const auto made = adapters.of(endpoint).request({.view = *view,
                                                   .body = body,
                                                   .endpoint = endpoint,
                                                   .model = of,
                                                   .output_limit = limit,
                                                   .request_id = "r",
                                                   .traceparent = {},
                                                   .answered_text = {}});
  if (!made) throw std::runtime_error(made.error().message);
  Said said{made->body.to_string(), {}};
  for (const std::string& name : made->dropped) {
    said.dropped += (said.dropped.empty() ? "" : " ") + name;
  }
  const json::PaddedBytes text(said.body);
  json::Reader reader(text.view());
  reader.skip();
  EXPECT_TRUE(reader.finish()) << said.body;
  return said;
}

// A request of `members` behind a message, and what of it arrives.
constexpr std::string_view kMessage = R"("messages":[{"role":"user","content":"x"}])";

TEST(FamilyChange, TopLevelMembers) {
  const struct {
    const char *type, *model, *members, *expected, *dropped;
  } cases[] = {
      // Reasoning, each in its own words.
      {"deepseek", "deepseek-v4-pro", R"("reasoning_effort":"max",)",
       R"(,"thinking":{"type":"enabled"},"reasoning_effort":"max")", ""},
      {"deepseek", "deepseek-v4-pro", R"("reasoning_effort":"none",)",
       R"(,"thinking":{"type":"disabled"})", ""},
      {"deepseek", "deepseek-v4-pro", R"("enable_thinking":true,)",
       R"(,"thinking":{"type":"enabled"})", ""},
      {"deepseek", "deepseek-v4-pro", R"("reasoning_effort":"low","enable_thinking":false,)",
       R"(,"thinking":{"type":"enabled"},"reasoning_effort":"low")", ""},
      {"kimi", "kimi-k3", R"("reasoning_effort":"none",)", "", "reasoning_effort"},
      {"kimi", "kimi-k3", R"("reasoning_effort":"medium",)", R"(,"reasoning_effort":"high")", ""},
      {"kimi", "kimi-k2.6", R"("enable_thinking":false,)", R"(,"thinking":{"type":"disabled"})",
       ""},
      {"glm", "glm-4.6", R"("reasoning_effort":"low",)", R"(,"thinking":{"type":"enabled"})", ""},
      {"glm", "glm-5.2", R"("reasoning_effort":"xhigh",)",
       R"(,"thinking":{"type":"enabled"},"reasoning_effort":"max")", ""},
      {"qwen", "qwen-plus", R"("reasoning_effort":"low",)",
       R"(,"enable_thinking":true,"thinking_budget":1638)", ""},
      {"qwen", "qwen-plus", R"("enable_thinking":false,)", R"(,"enable_thinking":false)", ""},
      {"ernie", "ernie-5.0", R"("reasoning_effort":"none",)", R"(,"enable_thinking":false)", ""},
      {"minimax", "MiniMax-M3", R"("reasoning_effort":"high",)",
       R"(,"thinking":{"type":"adaptive"},"reasoning_split":true)", ""},
      {"minimax", "MiniMax-M2.5", R"("reasoning_effort":"none",)", R"(,"reasoning_split":true)",
       "reasoning_effort"},
      {"qwen", "qwen-plus", R"("reasoning_effort":"sideways",)", "", "reasoning_effort"},
      {"custom", "gpt-oss", R"("reasoning_effort":"low",)", R"("reasoning_effort":"low",)", ""},
      {"openai", "gpt-5", R"("reasoning_effort":"low",)", R"("reasoning_effort":"low",)", ""},
      // The bound on the answer.
      {"deepseek", "m", R"("max_completion_tokens":5,)", R"("max_tokens":5,)", ""},
      {"deepseek", "m", R"("max_tokens":7,"max_completion_tokens":5,)", R"("max_tokens":5,)", ""},
      {"deepseek", "m", R"("max_tokens":7,"max_completion_tokens":null,)", R"("max_tokens":7,)",
       ""},
      {"openai", "gpt-5-mini", R"("max_tokens":7,)", R"("max_completion_tokens":7,)", ""},
      {"openai", "gpt-4o", R"("max_tokens":7,)", R"("max_tokens":7,)", ""},
      {"custom", "m", R"("max_completion_tokens":7,)", R"("max_completion_tokens":7,)", ""},
      // What is refused there.
      {"kimi", "kimi-k2.6", R"("temperature":0.3,"top_p":null,"n":1,)", "", "temperature n"},
      {"kimi", "moonshot-v1", R"("temperature":1.3,)", R"("temperature":1,)", "temperature"},
      {"kimi", "moonshot-v1", R"("temperature":0.3,)", R"("temperature":0.3,)", ""},
      {"glm", "glm-4.6", R"("stop":["a","b"],)", R"("stop":["a"],)", "stop"},
      {"glm", "glm-4.6", R"("stop":"a",)", R"("stop":"a",)", ""},
      {"deepseek", "m", R"("response_format":{"type":"json_schema","json_schema":{"name":"x"}},)",
       R"("response_format":{"type":"json_object"},)", "response_format.json_schema"},
      {"deepseek", "m", R"("response_format":{"type":"json_object"},)",
       R"("response_format":{"type":"json_object"},)", ""},
      // What a caller of Anthropic's API says by habit.
      {"openai", "gpt-4o",
       R"("reasoning_effort":"none","anthropic":{"thinking":{"type":"disabled"}},)", "", ""},
      {"deepseek", "deepseek-v4-pro",
       R"("reasoning_effort":"none","anthropic":{"thinking":{"type":"disabled"}},)",
       R"(,"thinking":{"type":"disabled"})", ""},
      {"openai", "gpt-5",
       R"("reasoning_effort":"low","anthropic":{"thinking":{"type":"enabled"}},)",
       R"("reasoning_effort":"low",)", ""},
      // Ours.
      {"openai", "gpt-4o", R"("anthropic":{"top_k":1},"gemini":{},)", "", ""},
      {"custom", "m", R"("anthropic":{"top_k":1},"x":1,"gemini":{},)", R"("x":1,)", ""},
  };
  for (const auto& c : cases) {
    const std::string head = R"({"model":"public",)";
    const Said said = said_to(c.type, c.model, head + c.members + std::string(kMessage) + "}");
    const std::string expected(c.expected);
    const bool behind = expected.starts_with(',');
    const std::string whole = R"({"model":")" + std::string(c.model) + R"(",)" +
                              (behind ? "" : expected) + std::string(kMessage) +
                              (behind ? expected : "") + "}";
    EXPECT_EQ(said.body, whole) << c.type << " " << c.members;
    EXPECT_EQ(said.dropped, c.dropped) << c.type << " " << c.members;
  }
}

TEST(FamilyChange, MembersAtEitherEndGoWithTheirCommas) {
  EXPECT_EQ(said_to("kimi", "kimi-k3",
                    R"({"n":2, "temperature":1,"model":"m","messages":[{"role":"user",)"
                    R"("content":"x"}], "top_p":1 , "seed":1, "logit_bias":{} })")
                .body,
            R"({"model":"kimi-k3","messages":[{"role":"user","content":"x"}] , "seed":1 })");
}

TEST(FamilyChange, OurBoundStandsUnderTheNameThatIsTaken) {
  const struct {
    const char *members, *expected;
  } cases[] = {
      {"", R"({"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":9})"},
      {R"("max_completion_tokens":50,)",
       R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}]})"},
      {R"("max_tokens":70,"max_completion_tokens":50,)",
       R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}]})"},
      {R"("max_tokens":null,"max_completion_tokens":null,)",
       R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}]})"},
  };
  for (const auto& c : cases) {
    const std::string house =
        R"({"model":"p",)" + std::string(c.members) + std::string(kMessage) + "}";
    EXPECT_EQ(said_to("deepseek", "m", house, 9).body, c.expected) << c.members;
  }
}

TEST(FamilyChange, Messages) {
  const struct {
    const char *type, *model, *message, *expected;
  } cases[] = {
      {"custom", "m", R"({"role":"developer","content":"x"})",
       R"({"role":"system","content":"x"})"},
      {"openai", "m", R"({"role":"developer","content":"x"})",
       R"({"role":"developer","content":"x"})"},
      {"openai", "m", R"({"reasoning_details":[1],"role":"user","content":"x"})",
       R"({"role":"user","content":"x"})"},
      {"qwen", "m", R"({"role":"assistant","content":"x","reasoning_details":[{"a":1}]})",
       R"({"role":"assistant","content":"x"})"},
      {"qwen", "m", R"({"role":"tool","content":"x","is_error":true,"cache_control":{"a":1}})",
       R"({"role":"tool","content":"x","cache_control":{"a":1}})"},
      {"openai", "m", R"({"cache_control":{"a":1},"role":"tool","content":"x","is_error":true})",
       R"({"role":"tool","content":"x"})"},
      {"openai", "m",
       R"({"role":"user","content":[{"type":"text","text":"a","cache_control":{"a":1}},{"type":)"
       R"("text","cache_control":null,"text":"b"},{"type":"text","text":"c"}]})",
       R"({"role":"user","content":[{"type":"text","text":"a"},{"type":)"
       R"("text","text":"b"},{"type":"text","text":"c"}]})"},
      {"openai", "m",
       R"({"role":"assistant","tool_calls":[{"id":"a","extra_content":{"g":1},"function":{}}]})",
       R"({"role":"assistant","tool_calls":[{"id":"a","function":{}}]})"},
      {"custom", "m",
       R"({"role":"user","content":[{"type":"text","text":"a","cache_control":{"a":1}}]})",
       R"({"role":"user","content":[{"type":"text","text":"a","cache_control":{"a":1}}]})"},
      {"deepseek", "deepseek-r1", R"({"role":"assistant","content":"x","reasoning_content":"y"})",
       R"({"role":"assistant","content":"x"})"},
      {"deepseek", "deepseek-v4-pro",
       R"({"role":"assistant","reasoning_content":"y","tool_calls":[]})",
       R"({"role":"assistant","reasoning_content":"y","tool_calls":[]})"},
      {"deepseek", "deepseek-v4-pro", R"({"role":"assistant","tool_calls":[]})",
       R"({"role":"assistant","tool_calls":[],"reasoning_content":""})"},
  };
  for (const auto& c : cases) {
    const auto around = [](const char* model, const char* message) {
      return R"({"model":")" + std::string(model) +
             R"(","messages":[{"role":"user","content":"q"},)" + message + "]}";
    };
    EXPECT_EQ(said_to(c.type, c.model, around("p", c.message)).body, around(c.model, c.expected))
        << c.type;
  }
}

TEST(FamilyChange, ToolsOfAFewFamilies) {
  const std::string tools =
      R"("tools":[{"type":"function","function":{"name":"f","parameters":{"$schema":"s",)"
      R"("type":"object","properties":{"a":{"type":"string","$schema":"t"}}}}}])";
  const std::string bare = R"("tools":[{"type":"function","function":{"name":"f","parameters":{)"
                           R"("type":"object","properties":{"a":{"type":"string"}}}}}])";
  const std::string head = R"({"model":"m",)" + std::string(kMessage) + ",";
  EXPECT_EQ(said_to("kimi", "m", head + tools + "}").body, head + bare + "}");
  EXPECT_EQ(said_to("qwen", "m", head + tools + "}").body, head + tools + "}");
  const std::string streamed = head + tools + R"(,"stream":true)";
  EXPECT_NE(said_to("glm", "m", streamed + "}").body.find(R"(,"tool_stream":true)"),
            std::string::npos);
  const std::string own = streamed + R"(,"tool_stream":false)";
  EXPECT_EQ(said_to("glm", "m", own + "}").body.find(R"("tool_stream":true)"), std::string::npos);
}

// Hundreds of edits: more than one write gathers.
TEST(FamilyChange, MarksOfOtherVendorsOnTools) {
  const std::string head = R"({"model":"p","messages":[{"role":"user","content":"q"}],"tools":[)";
  const std::string tool =
      R"({"type":"function","function":{"name":"f","parameters":{"cache_control":{}}})";
  const std::string marked = head + tool + R"(,"cache_control":{"type":"ephemeral"}}]})";
  EXPECT_EQ(said_to("openai", "p", marked).body, head + tool + "}]}");
  EXPECT_EQ(said_to("custom", "p", marked).body, marked);
}

TEST(FamilyChange, ALongConversation) {
  std::string house = R"({"model":"p","messages":[)";
  std::string expected = R"({"model":"m","messages":[)";
  for (int i = 0; i < 500; ++i) {
    house += R"({"role":"assistant","reasoning_details":[],"content":"x"},)";
    expected += R"({"role":"assistant","content":"x"},)";
  }
  const std::string end = R"({"role":"user","content":"x"}]})";
  EXPECT_EQ(said_to("custom", "m", house + end).body, expected + end);
}

TEST(FamilyRules, EveryRowIsDatedAndTellsItsSource) {
  for (const FamilyRules& rules : all_rules()) {
    EXPECT_EQ(rules.as_of.size(), 10u) << rules.provider_type;
    EXPECT_FALSE(rules.source.empty()) << rules.provider_type;
  }
}

}  // namespace
}  // namespace deeppool::provider::family
