#include "provider/anthropic/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <boost/json.hpp>

#include "provider/anthropic/message_rules.h"
#include "provider/anthropic/raw_text.h"
#include "provider/anthropic/test_asking.h"
#include "provider/anthropic/tool_ids.h"
#include "testing/golden.h"

namespace deeppool::provider::anthropic {
namespace {

namespace bj = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::filesystem::path kFolder =
    std::filesystem::path(DEEPPOOL_SOURCE_DIR) / "src/provider/testdata/anthropic/request";

std::string readable(const UpstreamRequest& made) {
  std::string text(made.head.view());
  std::erase(text, '\r');
  for (const std::string& name : made.dropped) text += "dropped: " + name + "\n";
  return text + made.body.to_string() + "\n";
}

TEST(AnthropicRequest, Goldens) {
  for (const auto& input : testing::files_ending(kFolder, ".house.json")) {
    const UpstreamRequest made = TestAsking(testing::read_file(input)).made();
    auto golden = input;
    testing::expect_golden(golden.replace_extension().replace_extension(".anthropic.txt"),
                           readable(made));
    EXPECT_EQ(MessageRules::broken_by(bj::parse(made.body.to_string()).as_object()), "") << input;
  }
}

// A request with these members beside the usual ones.
std::string house(std::string_view model, std::string_view members,
                  std::string_view messages = R"([{"role":"user","content":"hi"}])") {
  std::string text = R"({"model":")" + std::string(model) + R"(","messages":)";
  text.append(messages).append(members.empty() ? "" : ",").append(members);
  return text + "}";
}

TEST(AnthropicRequest, Parameters) {
  const struct {
    const char* name;
    const char* model;
    const char* members;
    std::vector<std::string> has;
    std::vector<std::string> lacks;
    std::vector<std::string> dropped;
  } cases[] = {
      {"the caller's bound",
       "claude-opus-4-1",
       R"("max_tokens":7)",
       {R"("max_tokens":7,)"},
       {},
       {}},
      {"no bound", "claude-opus-4-1", "", {R"("max_tokens":32000,)"}, {}, {}},
      {"temperature is clamped",
       "claude-opus-4-1",
       R"("temperature":1.7)",
       {R"("temperature":1)"},
       {"1.7"},
       {}},
      {"temperature as it is",
       "claude-opus-4-1",
       R"("temperature":0.30)",
       {R"("temperature":0.30)"},
       {},
       {}},
      {"one of two",
       "claude-opus-4-1",
       R"("temperature":0.3,"top_p":0.5)",
       {R"("temperature":0.3)"},
       {"top_p"},
       {"top_p"}},
      {"the one that says something",
       "claude-opus-4-1",
       R"("temperature":1,"top_p":0.5)",
       {R"("top_p":0.5)"},
       {"temperature"},
       {}},
      {"both",
       "claude-3-opus-20240229",
       R"("temperature":0.3,"top_p":0.5)",
       {R"("temperature":0.3)", R"("top_p":0.5)"},
       {},
       {}},
      {"sampling is refused",
       "claude-opus-4-8",
       R"("temperature":0.3,"top_p":1,"top_k":3)",
       {},
       {"temperature", "top_p", "top_k"},
       {"temperature", "top_k"}},
      {"thinking fixes sampling",
       "claude-sonnet-4-5",
       R"("reasoning_effort":"high","max_tokens":9000,"temperature":0.3,"top_p":0.5)",
       {R"("thinking":{"type":"enabled","budget_tokens":5400})"},
       {"temperature", "top_p"},
       {"temperature", "top_p"}},
      {"dropped and idle",
       "claude-opus-4-1",
       R"("n":2,"seed":1,"logprobs":true,"top_logprobs":0,"logit_bias":{},"presence_penalty":0.0,)"
       R"("modalities":null)",
       {},
       {"seed"},
       {"n", "seed", "logprobs"}},
      {"least budget",
       "claude-sonnet-4-5",
       R"("reasoning_effort":"minimal","max_tokens":2000)",
       {R"("budget_tokens":1024})"},
       {},
       {}},
      {"no room to think",
       "claude-sonnet-4-5",
       R"("reasoning_effort":"high","max_tokens":1024)",
       {},
       {"thinking"},
       {"reasoning_effort"}},
      {"no thoughts at all",
       "claude-3-5-haiku-20241022",
       R"("reasoning_effort":"high")",
       {},
       {"thinking"},
       {"reasoning_effort"}},
      {"not asked to think",
       "claude-sonnet-4-5",
       R"("reasoning_effort":"none")",
       {},
       {"thinking"},
       {}},
      {"adaptive",
       "claude-opus-4-6",
       R"("reasoning_effort":"xhigh")",
       {R"("thinking":{"type":"adaptive"})", R"("output_config":{"effort":"max"})"},
       {},
       {}},
      {"adaptive, hidden unless asked for",
       "claude-opus-4-7",
       R"("reasoning_effort":"xhigh")",
       {R"({"type":"adaptive","display":"summarized"})", R"({"effort":"xhigh"})"},
       {},
       {}},
      {"switched off",
       "claude-opus-5",
       R"("reasoning_effort":"none","enable_thinking":true)",
       {R"("thinking":{"type":"disabled"})"},
       {"effort"},
       {}},
      {"cannot be switched off",
       "claude-fable-5",
       R"("reasoning_effort":"none")",
       {R"({"effort":"low"})"},
       {"thinking"},
       {}},
      {"the older switch",
       "claude-opus-4-6",
       R"("enable_thinking":true)",
       {R"("thinking":{"type":"adaptive"})"},
       {"effort"},
       {}},
      {"the older switch with a budget",
       "claude-sonnet-4-5",
       R"("enable_thinking":true,"max_tokens":10000)",
       {R"("budget_tokens":3000})"},
       {},
       {}},
      {"an unknown effort",
       "claude-opus-4-6",
       R"("reasoning_effort":"huge")",
       {},
       {"thinking"},
       {"reasoning_effort"}},
      {"thinking in Anthropic's words",
       "claude-sonnet-4-5",
       R"("thinking":{"type":"enabled","budget_tokens":2048},"max_tokens":4096)",
       {R"("thinking":{"type":"enabled","budget_tokens":2048})"},
       {},
       {}},
      {"thinking in Kimi's words",
       "claude-opus-4-6",
       R"("thinking":{"type":"disabled"})",
       {R"("thinking":{"type":"disabled"})"},
       {},
       {}},
      {"a budget for a model without",
       "claude-opus-4-7",
       R"("anthropic":{"thinking":{"type":"enabled","budget_tokens":2048}},)"
       R"("reasoning_effort":"low")",
       {R"("type":"adaptive")", R"({"effort":"low"})"},
       {"budget_tokens"},
       {}},
      {"effort alone, in Anthropic's words",
       "claude-opus-4-7",
       R"("anthropic":{"output_config":{"effort":"low"}},"reasoning_effort":"low")",
       {R"("output_config":{"effort":"low"})"},
       {"thinking"},
       {}},
      {"effort for a model without",
       "claude-sonnet-4-5",
       R"("anthropic":{"output_config":{"effort":"low"}},"reasoning_effort":"low")",
       {},
       {"effort"},
       {"output_config.effort"}},
      {"stops", "claude-opus-4-1", R"("stop":"END")", {R"("stop_sequences":["END"])"}, {}, {}},
      {"blank stops",
       "claude-opus-4-1",
       R"("stop":["\n","x"])",
       {R"("stop_sequences":["x"])"},
       {},
       {"stop"}},
      {"user",
       "claude-opus-4-1",
       R"("safety_identifier":"s","user":"u")",
       {R"("metadata":{"user_id":"u"})"},
       {},
       {}},
      {"tiers",
       "claude-opus-4-1",
       R"("service_tier":"priority","store":true,"metadata":{"a":"b"},"prompt_cache_key":"k")",
       {},
       {"service_tier", "metadata"},
       {}},
      {"one call at a time",
       "claude-opus-4-1",
       R"("tools":[{"type":"function","function":{"name":"f"}}],"parallel_tool_calls":false)",
       {R"("tool_choice":{"type":"auto","disable_parallel_tool_use":true})",
        R"("input_schema":{"type":"object","properties":{}})"},
       {},
       {}},
      {"a choice without tools",
       "claude-opus-4-1",
       R"("tool_choice":"required")",
       {},
       {"tool_choice"},
       {}},
      {"a named tool",
       "claude-opus-4-1",
       R"("functions":[{"name":"f","parameters":{"properties":{}}}],"function_call":{"name":"f"})",
       {R"("tool_choice":{"type":"tool","name":"f"})",
        R"("input_schema":{"type":"object","properties":{}})"},
       {},
       {}},
  };
  for (const auto& c : cases) {
    const UpstreamRequest made = TestAsking(house(c.model, c.members)).made();
    const std::string body = made.body.to_string();
    for (const std::string& text : c.has) EXPECT_THAT(body, HasSubstr(text)) << c.name;
    for (const std::string& text : c.lacks) EXPECT_THAT(body, Not(HasSubstr(text))) << c.name;
    EXPECT_EQ(made.dropped, c.dropped) << c.name;
    EXPECT_EQ(MessageRules::broken_by(bj::parse(body).as_object()), "") << c.name << body;
  }
}

TEST(AnthropicRequest, TheBoundIsTheFirstThatIsNamed) {
  TestAsking asking(house("claude-opus-4-1", ""));
  asking.model.max_output_tokens = 999;
  EXPECT_THAT(asking.made().body.to_string(), HasSubstr(R"("max_tokens":999,)"));
  asking.output_limit = 55;
  EXPECT_THAT(asking.made().body.to_string(), HasSubstr(R"("max_tokens":55,)"));
}

TEST(AnthropicRequest, NewVersionHasNoSamplingAndKeepsSystemTurns) {
  TestAsking asking(house("claude-opus-4-1", R"("temperature":0.5)",
                          R"([{"role":"system","content":"S"},{"role":"user","content":"a"},)"
                          R"({"role":"system","content":"now this"},)"
                          R"({"role":"assistant","content":"b"},{"role":"user","content":"c"},)"
                          R"({"role":"system","content":"at last"}])"));
  asking.version = ApiVersion::v2026_10_21;
  const UpstreamRequest made = asking.made();
  const std::string body = made.body.to_string();
  EXPECT_THAT(std::string(made.head.view()), HasSubstr("anthropic-version: 2026-10-21\r\n"));
  EXPECT_THAT(made.dropped, ElementsAre("temperature"));
  EXPECT_THAT(body,
              HasSubstr(R"({"role":"system","content":[{"type":"text","text":"now this"}]})"));
  EXPECT_THAT(body, HasSubstr(R"("text":"<system>\nat last\n</system>"}]}])"));
  EXPECT_EQ(MessageRules::broken_by(bj::parse(body).as_object()), "");
}

std::string messages_of(std::string_view model, std::string_view messages) {
  const std::string body = TestAsking(house(model, "", messages)).made().body.to_string();
  const bj::object object = bj::parse(body).as_object();
  EXPECT_EQ(MessageRules::broken_by(object), "") << body;
  std::string text;
  if (object.contains("system")) text = bj::serialize(object.at("system")) + " ";
  return text + bj::serialize(object.at("messages"));
}

TEST(AnthropicRequest, OrderOfTurns) {
  const struct {
    const char* name;
    const char* model;
    const char* messages;
    const char* said;
  } cases[] = {
      {"system alone becomes the user's", "claude-opus-4-1",
       R"([{"role":"system","content":"a"},{"role":"system","content":"b"}])",
       R"([{"type":"text","text":"a"}] [{"role":"user","content":[{"type":"text","text":"b"}]}])"},
      {"nothing at all", "claude-opus-4-1", R"([{"role":"user","content":" \n "}])",
       R"x([{"role":"user","content":[{"type":"text","text":"(no message)"}]}])x"},
      {"prefill", "claude-opus-4-1",
       R"([{"role":"user","content":"a"},{"role":"assistant","content":"So \u0020\n"}])",
       R"([{"role":"user","content":[{"type":"text","text":"a"}]},)"
       R"({"role":"assistant","content":[{"type":"text","text":"So"}]}])"},
      {"no prefill", "claude-opus-4-6",
       R"([{"role":"user","content":"a"},{"role":"assistant","content":"So"}])",
       R"([{"role":"user","content":[{"type":"text","text":"a"}]},)"
       R"({"role":"assistant","content":[{"type":"text","text":"So"}]},)"
       R"({"role":"user","content":[{"type":"text","text":"Continue."}]}])"},
      {"calls at the end", "claude-opus-4-1",
       R"([{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"x",)"
       R"("type":"function","function":{"name":"f","arguments":"{}"}}]}])",
       R"([{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"assistant","content":)"
       R"([{"type":"tool_use","id":"x","name":"f","input":{}}]},{"role":"user","content":)"
       R"([{"type":"tool_result","tool_use_id":"x","content":"No result was given for this call.",)"
       R"("is_error":true}]}])"},
      {"thoughts between texts stay in order", "claude-opus-4-1",
       R"([{"role":"user","content":"a"},{"role":"assistant","content":"T","reasoning_details":[)"
       R"({"type":"thinking","thinking":"0","signature":"s","index":0},)"
       R"({"type":"thinking","thinking":"2","signature":"s","index":2}]},)"
       R"({"role":"user","content":"b"}])",
       R"([{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"assistant","content":)"
       R"([{"type":"thinking","thinking":"0","signature":"s"},{"type":"text","text":"T"},)"
       R"({"type":"thinking","thinking":"2","signature":"s"}]},)"
       R"({"role":"user","content":[{"type":"text","text":"b"}]}])"},
  };
  for (const auto& c : cases) EXPECT_EQ(messages_of(c.model, c.messages), c.said) << c.name;
}

TEST(AnthropicRequest, ToolLoops) {
  const std::string details =
      R"("reasoning_details":[{"type":"thinking","thinking":"t","signature":"s"}],)";
  const auto loop = [](std::string_view more) {
    return R"([{"role":"user","content":"a"},{"role":"assistant",)" + std::string(more) +
           R"("tool_calls":[{"id":"x","type":"function","function":{"name":"f",)"
           R"("arguments":"{}"}}]},{"role":"tool","tool_call_id":"x","content":"1"}])";
  };
  const char* tool = R"("tools":[{"type":"function","function":{"name":"f"}}],)";
  const struct {
    const char* model;
    std::string messages;
    std::string members;
    const char* has;
    std::vector<std::string> dropped;
  } cases[] = {
      {"claude-sonnet-4-5",
       loop(details),
       R"("reasoning_effort":"high")",
       R"("type":"enabled")",
       {}},
      {"claude-sonnet-4-5", loop(""), R"("reasoning_effort":"high")", "", {"reasoning_effort"}},
      {"claude-opus-4-6",
       loop(""),
       R"("reasoning_effort":"max")",
       R"("thinking":{"type":"disabled"},"output_config":{"effort":"high"})",
       {"reasoning_effort"}},
      {"claude-fable-5",
       loop(""),
       R"("reasoning_effort":"max")",
       R"("effort":"high")",
       {"reasoning_effort"}},
      {"claude-opus-4-6",
       loop(details),
       R"("reasoning_effort":"max","tool_choice":"required")",
       R"("thinking":{"type":"disabled"})",
       {"reasoning_effort"}},
      {"claude-opus-4-6",
       loop(""),
       R"("reasoning_effort":"none")",
       R"("thinking":{"type":"disabled"})",
       {}},
  };
  for (const auto& c : cases) {
    const UpstreamRequest made = TestAsking(house(c.model, tool + c.members, c.messages)).made();
    EXPECT_THAT(made.body.to_string(), HasSubstr(c.has)) << c.model;
    EXPECT_EQ(made.dropped, c.dropped) << c.model;
    if (!c.dropped.empty()) {
      EXPECT_THAT(made.body.to_string(), Not(HasSubstr(R"("thinking":{"type":"enabled)")));
      EXPECT_THAT(made.body.to_string(), Not(HasSubstr(R"("thinking":{"type":"adaptive)")));
    }
  }
}

TEST(AnthropicRequest, WhatIsAnsweredAlreadyIsGoneOnWith) {
  TestAsking asking(house("claude-sonnet-4-5", R"("reasoning_effort":"high")"));
  asking.answered = "It is \"so\"";
  const UpstreamRequest made = asking.made();
  EXPECT_THAT(
      made.body.to_string(),
      HasSubstr(R"({"role":"assistant","content":[{"type":"text","text":"It is \"so\""}]}])"));
  EXPECT_THAT(made.dropped, ElementsAre("reasoning_effort"));
}

TEST(AnthropicRequest, NobodyReadsABeginningTwice) {
  const struct {
    const char *model, *answered;
    bool goes_on;
  } cases[] = {{"claude-sonnet-4-5", "It is", true},
               {"claude-sonnet-4-5", "It is ", false},
               {"claude-sonnet-4-5", "It is\n", false},
               {"claude-opus-4-6", "It is", false}};
  for (const auto& c : cases) {
    TestAsking asking(house(c.model, ""));
    asking.answered = c.answered;
    EXPECT_EQ(asking.ask().ok(), c.goes_on) << c.model << c.answered;
  }
}

TEST(AnthropicRequest, RefusesWhatCannotBeSaid) {
  const struct {
    const char* members;
    const char* messages;
    const char* param;
  } cases[] = {
      {"", R"([{"role":"narrator","content":"x"}])", "messages[0].role"},
      {"", R"([{"role":"user","content":[{"type":"input_audio","input_audio":{}}]}])",
       "messages[0].content[0].type"},
      {"",
       R"([{"role":"user","content":[{"type":"text","text":"x"},)"
       R"({"type":"image_url","image_url":{"url":"file:///etc/passwd"}}]}])",
       "messages[0].content[1].image_url.url"},
      {"", R"([{"role":"user","content":[{"type":"file","file":{"file_id":"file-1"}}]}])",
       "messages[0].content[0].file"},
      {"",
       R"([{"role":"system","content":[{"type":"image_url","image_url":)"
       R"({"url":"https://e.com/x.png"}}]}])",
       "messages[0].content"},
      {"", R"([{"role":"assistant","tool_calls":[{"id":"x","type":"custom","custom":{}}]}])",
       "messages[0].tool_calls[0]"},
      {R"("tools":[{"type":"custom","custom":{"name":"x"}}])", "", "tools[0].type"},
      {R"("tool_choice":"whatever")", "", "tool_choice"},
  };
  for (const auto& c : cases) {
    const std::string_view messages =
        *c.messages != '\0' ? c.messages : R"([{"role":"user","content":"hi"}])";
    const auto made = TestAsking(house("claude-opus-4-1", c.members, messages)).ask();
    ASSERT_FALSE(made) << c.param;
    EXPECT_EQ(made.error().code, ErrorCode::invalid_request);
    EXPECT_EQ(made.error().param, c.param);
  }
}

TEST(AnthropicRequest, OtherApisAreRefused) {
  const json::PaddedBytes body(R"({"model":"m","input":"x"})");
  const auto view = llm::parse_request(llm::Api::embeddings, body);
  const Endpoint endpoint;
  const Model model;
  const auto made = make_request({.view = *view,
                                  .body = body,
                                  .endpoint = endpoint,
                                  .model = model,
                                  .request_id = {},
                                  .traceparent = {},
                                  .answered_text = {}},
                                 ApiVersion::v2023_06_01);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().param, "model");
}

TEST(RawText, TrailingSpace) {
  const struct {
    const char *raw, *rest;
  } cases[] = {{"", ""},
               {"a", "a"},
               {"a \\n\\t", "a"},
               {"a\\\\n", "a\\\\n"},
               {"a\\\\\\n", "a\\\\"},
               {"a\\u0020", "a"},
               {"a\\u0041", "a\\u0041"},
               {" \\r ", ""},
               {"an", "an"},
               {"\\\"", "\\\""}};
  for (const auto& c : cases) {
    EXPECT_EQ(without_trailing_space(c.raw), c.rest) << c.raw;
    EXPECT_EQ(is_blank(c.raw), *c.rest == '\0') << c.raw;
  }
}

// Reads back what to_tool_id() wrote.
std::string original_of(std::string_view id) {
  if (!id.starts_with("dp_")) return std::string(id);
  std::string text;
  for (size_t i = 3; i < id.size(); ++i) {
    if (id[i] != '_') {
      text += id[i];
      continue;
    }
    text += *base::hex_decode(id.substr(i + 1, 2));
    i += 2;
  }
  return text;
}

RC_GTEST_PROP(ToolIds, CanBeReadBack, ()) {
  const auto raw =
      *rc::gen::container<std::string>(rc::gen::elementOf(std::string("dp_-aZ09.: \x01\xc3\xff")));
  const std::string id = to_tool_id(raw);
  RC_ASSERT(
      id.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
      std::string::npos);
  RC_ASSERT(original_of(id) == raw);
}

std::string random_message() {
  static const std::vector<std::string> kTexts = {
      R"("x")",    R"("")", R"(" \n")",
      R"("a \t")", "null",  R"([{"type":"text","text":"p"},{"type":"text","text":""}])",
      "[]"};
  const auto content = *rc::gen::elementOf(kTexts);
  const auto id = *rc::gen::elementOf(std::vector<std::string>{"a", "b", "f:0", ""});
  const auto call = R"({"id":")" + id +
                    R"(","type":"function","function":{"name":"f","arguments":")" +
                    *rc::gen::elementOf(std::vector<std::string>{"", "{}", "nope", "3"}) + R"("}})";
  switch (*rc::gen::inRange(0, 7)) {
    case 0:
      return R"({"role":"system","content":)" + content + "}";
    case 1:
      return R"({"role":"user","content":)" + content + "}";
    case 2:
    case 3:
      return R"({"role":"tool","tool_call_id":")" + id + R"(","content":)" + content + "}";
    case 4:
      return R"({"role":"assistant","content":)" + content + R"(,"tool_calls":[)" + call + "," +
             call + "]}";
    case 5:
      return R"({"role":"assistant","content":)" + content +
             R"(,"reasoning_details":[{"type":"thinking","thinking":"t","signature":"s"}],)"
             R"("tool_calls":[)" +
             call + "]}";
    default:
      return R"({"role":"assistant","content":)" + content + "}";
  }
}

RC_GTEST_PROP(AnthropicRequest, AnyConversationKeepsTheRules, ()) {
  std::string messages = "[";
  const int count = *rc::gen::inRange(1, 9);
  for (int i = 0; i < count; ++i) messages.append(i == 0 ? "" : ",").append(random_message());
  const auto model =
      *rc::gen::elementOf(std::vector<std::string>{"claude-opus-4-1", "claude-opus-4-6"});
  TestAsking asking(house(model, "", messages + "]"));
  asking.version = *rc::gen::element(ApiVersion::v2023_06_01, ApiVersion::v2026_10_21);
  if (model == "claude-opus-4-1") asking.answered = *rc::gen::element<std::string>("", "so");
  RC_ASSERT(asking.valid());
  const std::string body = asking.made().body.to_string();
  const std::string rule = MessageRules::broken_by(bj::parse(body).as_object());
  if (!rule.empty()) RC_FAIL(rule + ": " + body);
}

}  // namespace
}  // namespace deeppool::provider::anthropic
