#include "llm/anthropic/request.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "llm/opaque.h"
#include "llm/openai/request.h"

namespace deeppool::llm::anthropic {
namespace {

using json::PaddedBytes;

constexpr std::string_view kHead = R"({"model":"m","max_tokens":9,)";
constexpr std::string_view kHello = R"("messages":[{"role":"user","content":"hi"}])";

std::string with(std::string_view members) {
  return std::string(kHead) + std::string(kHello) + "," + std::string(members) + "}";
}
std::string turns(std::string_view messages) {
  return std::string(kHead) + "\"messages\":[" + std::string(messages) + "]}";
}

boost::json::object house_of(std::string_view request, std::string_view betas = {}) {
  const auto house = to_house(PaddedBytes(request), Purpose::answer, betas);
  EXPECT_TRUE(house) << (house ? "" : house.error().message);
  if (!house) return {};
  // What the pipeline makes of it at once.
  const auto view = parse_request(Api::chat_completions, house->body);
  EXPECT_TRUE(view) << house->body.view();
  return boost::json::parse(house->body.view()).as_object();
}

boost::json::value json(std::string_view text) {
  return boost::json::parse(text);
}

struct Said {
  std::string_view name;
  std::string request;
  std::string_view member;
  std::string_view expected;  // JSON; empty: the member is absent
};

class MessagesRequest : public testing::TestWithParam<Said> {};

TEST_P(MessagesRequest, IsSaidInTheHouse) {
  const boost::json::object house = house_of(GetParam().request);
  const boost::json::value* member = house.if_contains(GetParam().member);
  if (GetParam().expected.empty()) {
    EXPECT_EQ(member, nullptr) << boost::json::serialize(house);
    return;
  }
  ASSERT_NE(member, nullptr) << boost::json::serialize(house);
  EXPECT_EQ(*member, json(GetParam().expected)) << boost::json::serialize(*member);
}

std::string name_of(const testing::TestParamInfo<Said>& info) {
  return std::string(info.param.name);
}

INSTANTIATE_TEST_SUITE_P(
    Options, MessagesRequest,
    testing::Values(
        Said{"Limit", with(R"("x":1)"), "max_completion_tokens", "9"},
        Said{"Model", with(R"("x":1)"), "model", R"("m")"},
        Said{"Rest", with(R"("x":{"y":[1]},"top_k":5,"z":null)"), "anthropic",
             R"({"x":{"y":[1]},"top_k":5})"},
        Said{"NoRest", with(R"("temperature":0.5)"), "anthropic", ""},
        Said{"Temperature", with(R"("temperature":0.5)"), "temperature", "0.5"},
        Said{"Stop", with(R"("stop_sequences":["a","b"])"), "stop", R"(["a","b"])"},
        Said{"NoStop", with(R"("stop_sequences":[])"), "stop", ""},
        Said{"Stream", with(R"("stream":true)"), "stream_options", R"({"include_usage":true})"},
        Said{"Whole", with(R"("stream":false)"), "stream_options", ""},
        Said{"User", with(R"("metadata":{"user_id":"u1"})"), "user", R"("u1")"},
        Said{"LongUser", with(R"("metadata":{"user_id":")" + std::string(100, 'u') + "\"}"), "user",
             R"("uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu")"},
        Said{"Metadata", with(R"("metadata":{"user_id":"u1"})"), "anthropic",
             R"({"metadata":{"user_id":"u1"}})"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Thinking, MessagesRequest,
    testing::Values(
        Said{"None", with(R"("x":1)"), "reasoning_effort", ""},
        Said{"Disabled", with(R"("thinking":{"type":"disabled"})"), "reasoning_effort",
             R"("none")"},
        Said{"Small", with(R"("thinking":{"type":"enabled","budget_tokens":1024})"),
             "reasoning_effort", R"("low")"},
        Said{"Middle", with(R"("thinking":{"type":"enabled","budget_tokens":10000})"),
             "reasoning_effort", R"("medium")"},
        Said{"Large", with(R"("thinking":{"type":"enabled","budget_tokens":31999})"),
             "reasoning_effort", R"("high")"},
        Said{"Larger", with(R"("thinking":{"type":"enabled","budget_tokens":63999})"),
             "reasoning_effort", R"("xhigh")"},
        Said{"Adaptive", with(R"("thinking":{"type":"adaptive"})"), "reasoning_effort",
             R"("medium")"},
        Said{"Effort", with(R"("thinking":{"type":"adaptive"},"output_config":{"effort":"max"})"),
             "reasoning_effort", R"("max")"},
        Said{"Exact", with(R"("thinking":{"type":"enabled","budget_tokens":1024})"), "anthropic",
             R"({"thinking":{"type":"enabled","budget_tokens":1024}})"},
        Said{
            "Format", with(R"("output_config":{"format":{"type":"json_schema","schema":{"a":1}}})"),
            "response_format",
            R"({"type":"json_schema","json_schema":{"name":"answer","strict":true,"schema":{"a":1}}})"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Tools, MessagesRequest,
    testing::Values(
        Said{"Function",
             with(R"("tools":[{"name":"f","description":"d","input_schema":{"type":"object"},)"
                  R"("cache_control":{"type":"ephemeral"}},)"
                  R"({"type":"custom","name":"g","input_schema":{},"strict":true}])"),
             "tools",
             R"([{"type":"function","function":{"name":"f","description":"d","parameters":)"
             R"({"type":"object"}},"cache_control":{"type":"ephemeral"}},{"type":"function",)"
             R"("function":{"name":"g","parameters":{},"strict":true}}])"},
        Said{"Own", with(R"("tools":[{"type":"web_search_20260209","name":"w"}])"), "anthropic",
             R"({"tools":[{"type":"web_search_20260209","name":"w"}]})"},
        Said{"OwnAreNoFunctions", with(R"("tools":[{"type":"bash_20250124","name":"bash"}])"),
             "tools", ""},
        Said{"Any",
             with(R"("tools":[{"name":"f","input_schema":{}}],"tool_choice":{"type":"any"})"),
             "tool_choice", R"("required")"},
        Said{"One",
             with(R"("tools":[{"name":"f","input_schema":{}}],)"
                  R"("tool_choice":{"type":"tool","name":"f"})"),
             "tool_choice", R"({"type":"function","function":{"name":"f"}})"},
        Said{"OneAtATime",
             with(R"("tools":[{"name":"f","input_schema":{}}],)"
                  R"("tool_choice":{"type":"auto","disable_parallel_tool_use":true})"),
             "parallel_tool_calls", "false"},
        Said{"ChoiceWithoutTools", with(R"("tool_choice":{"type":"auto"})"), "tool_choice", ""}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Turns, MessagesRequest,
    testing::Values(
        Said{"Plain",
             turns(R"({"role":"user","content":"h\u00e9"},{"role":"assistant","content":"b"})"),
             "messages", R"([{"role":"user","content":"hé"},{"role":"assistant","content":"b"}])"},
        Said{"System", with(R"("system":"be")"), "messages",
             R"([{"role":"system","content":"be"},{"role":"user","content":"hi"}])"},
        Said{"SystemBlocks",
             with(R"("system":[{"type":"text","text":"a"},{"type":"text","text":"b",)"
                  R"("cache_control":{"type":"ephemeral"}}])"),
             "messages",
             R"([{"role":"system","content":[{"type":"text","text":"a"},{"type":"text","text":"b",)"
             R"("cache_control":{"type":"ephemeral"}}]},{"role":"user","content":"hi"}])"},
        Said{"SystemLater",
             turns(R"({"role":"user","content":"a"},{"role":"system","content":[{"type":"text",)"
                   R"("text":"s"}]},{"role":"user","content":"b"})"),
             "messages",
             R"([{"role":"user","content":"a"},{"role":"system","content":"s"},)"
             R"({"role":"user","content":"b"}])"},
        Said{
            "Picture",
            turns(R"({"role":"user","content":[{"type":"image","source":{"type":"base64",)"
                  R"("media_type":"image/png","data":"QUJD"}},{"type":"image","source":)"
                  R"({"type":"url","url":"https://x/y.png"},"cache_control":{"type":"e"}},)"
                  R"({"type":"text","text":"what?"}]})"),
            "messages",
            R"([{"role":"user","content":[{"type":"image_url","image_url":{"url":)"
            R"("data:image/png;base64,QUJD"}},{"type":"image_url","image_url":{"url":)"
            R"("https://x/y.png"},"cache_control":{"type":"e"}},{"type":"text","text":"what?"}]}])"},
        Said{"Document",
             turns(R"({"role":"user","content":[{"type":"document","title":"t","source":)"
                   R"({"type":"base64","media_type":"application/pdf","data":"QUJD"}},)"
                   R"({"type":"document","source":{"type":"text","media_type":"text/plain",)"
                   R"("data":"words"}}]})"),
             "messages",
             R"([{"role":"user","content":[{"type":"file","file":{"filename":"t","file_data":)"
             R"("data:application/pdf;base64,QUJD"}},{"type":"text","text":"words"}]}])"},
        Said{"SearchResult",
             turns(R"({"role":"user","content":[{"type":"search_result","title":"t","source":"s",)"
                   R"("content":[{"type":"text","text":"x"}]}]})"),
             "messages", R"([{"role":"user","content":[{"type":"text","text":"t\ns\n\nx"}]}])"}),
    name_of);

constexpr std::string_view kCall =
    R"({"role":"assistant","content":[{"type":"text","text":"let me"},{"type":"tool_use",)"
    R"("id":"toolu_1","name":"f","input":{"a": [1]}},{"type":"tool_use","id":"toolu_2",)"
    R"("name":"g","input":{}}]})";
constexpr std::string_view kHouseCall =
    R"({"role":"assistant","content":"let me","tool_calls":[{"id":"toolu_1","type":"function",)"
    R"("function":{"name":"f","arguments":"{\"a\": [1]}"}},{"id":"toolu_2","type":"function",)"
    R"("function":{"name":"g","arguments":"{}"}}]})";

TEST(MessagesRequestTurns, ResultsComeFirstAndPicturesBehindThem) {
  const auto house = house_of(turns(
      std::string(kCall) +
      R"(,{"role":"user","content":[{"type":"text","text":"and?"},{"type":"tool_result",)"
      R"("tool_use_id":"toolu_1","content":"sunny","cache_control":{"type":"ephemeral"}},)"
      R"({"type":"tool_result","tool_use_id":"toolu_2","is_error":true,"content":[{"type":"text",)"
      R"("text":"no"},{"type":"image","source":{"type":"url","url":"u"}}]}]})"));
  EXPECT_EQ(
      house.at("messages"),
      json("[" + std::string(kHouseCall) +
           R"(,{"role":"tool","tool_call_id":"toolu_1","content":"sunny","cache_control":)"
           R"({"type":"ephemeral"}},{"role":"tool","tool_call_id":"toolu_2","content":[{"type":)"
           R"("text","text":"no"},{"type":"text","text":)"
           R"("What the tool returned follows in the next message."}],"is_error":true},)"
           R"({"role":"user","content":[{"type":"text","text":)"
           R"("Returned by the tool call toolu_2:"},{"type":"image_url","image_url":{"url":"u"}},)"
           R"({"type":"text","text":"and?"}]}])"))
      << boost::json::serialize(house.at("messages"));
}

TEST(MessagesRequestTurns, ThinkingGoesAlongWithItsProof) {
  const std::string extra = to_opaque(
      R"({"type":"tool_call.extra_content","id":"t1","extra_content":{"google":{"s":"x"}}})");
  const std::string gemini = to_opaque(R"({"type":"gemini.thought_signature","s":"y"})");
  const auto house = house_of(
      turns(R"({"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"S"},)"
            R"({"type":"thinking","thinking":"and","signature":""},)"
            R"({"type":"redacted_thinking","data":"R"},{"type":"redacted_thinking","data":")" +
            extra + R"("},{"type":"redacted_thinking","data":")" + gemini +
            R"("},{"type":"server_tool_use","id":"s","name":"w","input":{}},)"
            R"({"type":"tool_use","id":"t1","name":"f","input":{}}]})"));
  EXPECT_EQ(house.at("messages"),
            json(R"([{"role":"assistant","content":null,"reasoning_content":"hm\n\nand",)"
                 R"("reasoning_details":[{"type":"thinking","thinking":"hm","signature":"S",)"
                 R"("index":0},{"type":"redacted_thinking","data":"R","index":1},)"
                 R"({"type":"gemini.thought_signature","s":"y"}],)"
                 R"("tool_calls":[{"id":"t1","type":"function","function":{"name":"f",)"
                 R"("arguments":"{}"},"extra_content":{"google":{"s":"x"}}}]}])"))
      << boost::json::serialize(house.at("messages"));
}

TEST(MessagesRequestTurns, BetasGoAlong) {
  const auto house = house_of(with(R"("x":1)"), "a-2025, b-2026");
  EXPECT_EQ(house.at("anthropic"), json(R"({"x":1,"betas":["a-2025","b-2026"]})"));
}

TEST(MessagesRequestTurns, CountingNeedsNoLimit) {
  const std::string request = "{\"model\":\"m\"," + std::string(kHello) + "}";
  EXPECT_TRUE(to_house(PaddedBytes(request), Purpose::count, {}));
  EXPECT_FALSE(to_house(PaddedBytes(request), Purpose::answer, {}));
}

struct Refused {
  std::string request;
  std::string_view param;
};

class MessagesRefusal : public testing::TestWithParam<Refused> {};

TEST_P(MessagesRefusal, NamesThePath) {
  const auto house = to_house(PaddedBytes(GetParam().request), Purpose::answer, {});
  ASSERT_FALSE(house) << GetParam().request;
  EXPECT_EQ(house.error().code, ErrorCode::invalid_request);
  EXPECT_EQ(house.error().param, GetParam().param) << house.error().message;
  if (GetParam().param.empty()) return;
  EXPECT_NE(house.error().message.find(GetParam().param), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, MessagesRefusal,
    testing::Values(
        Refused{"", ""}, Refused{"[]", ""}, Refused{R"({"model":"m",})", ""},
        Refused{R"({"model":"m"} x)", ""}, Refused{"{}", "model"},
        Refused{R"({"model":1})", "model"}, Refused{R"({"model":"m"})", "messages"},
        Refused{R"({"model":"m","messages":[]})", "messages"},
        Refused{R"({"model":"m","messages":[{"role":"user","content":"x"}]})", "max_tokens"},
        Refused{turns(R"(7)"), "messages[0]"},
        Refused{turns(R"({"content":"x"})"), "messages[0].role"},
        Refused{turns(R"({"role":"tool","content":"x"})"), "messages[0].role"},
        Refused{turns(R"({"role":"user"})"), "messages[0].content"},
        Refused{turns(R"({"role":"user","content":[]})"), "messages[0].content"},
        Refused{turns(R"({"role":"user","content":5})"), "messages[0].content"},
        Refused{turns(R"({"role":"user","content":["x"]})"), "messages[0].content[0]"},
        Refused{turns(R"({"role":"user","content":[{"text":"x"}]})"),
                "messages[0].content[0].type"},
        Refused{turns(R"({"role":"user","content":"a"},{"role":"user","content":[{"type":"text",)"
                      R"("text":"x"},{"type":"video"}]})"),
                "messages[1].content[1].type"},
        Refused{turns(R"({"role":"user","content":[{"type":"text"}]})"),
                "messages[0].content[0].text"},
        Refused{turns(R"({"role":"user","content":[{"type":"image"}]})"),
                "messages[0].content[0].source"},
        Refused{turns(R"({"role":"user","content":[{"type":"image","source":{"type":"file",)"
                      R"("file_id":"f"}}]})"),
                "messages[0].content[0].source.type"},
        Refused{turns(R"({"role":"user","content":[{"type":"tool_result"}]})"),
                "messages[0].content[0].tool_use_id"},
        Refused{turns(R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"t",)"
                      R"("content":[{"type":"tool_use"}]}]})"),
                "messages[0].content[0].content[0].type"},
        Refused{turns(R"({"role":"assistant","content":[{"type":"tool_use","id":"a"}]})"),
                "messages[0].content[0].name"},
        Refused{turns(R"({"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f",)"
                      R"("input":"x"}]})"),
                "messages[0].content[0].input"},
        Refused{turns(R"({"role":"assistant","content":[{"type":"image"}]})"),
                "messages[0].content[0].type"},
        Refused{turns(R"({"role":"assistant","content":[{"type":"thinking"}]})"),
                "messages[0].content[0].thinking"}));

INSTANTIATE_TEST_SUITE_P(
    Options, MessagesRefusal,
    testing::Values(Refused{with(R"("max_tokens":0)"), "max_tokens"},
                    Refused{with(R"("max_tokens":"9")"), "max_tokens"},
                    Refused{with(R"("stream":"yes")"), "stream"},
                    Refused{with(R"("temperature":"hot")"), "temperature"},
                    Refused{with(R"("system":[{"type":"image"}])"), "system[0].type"},
                    Refused{with(R"("system":{})"), "system"},
                    Refused{with(R"("stop_sequences":["a",1])"), "stop_sequences[1]"},
                    Refused{with(R"("stop_sequences":["1","2","3","4","5","6","7","8","9"])"),
                            "stop_sequences"},
                    Refused{with(R"("thinking":{"type":"enabled"})"), "thinking.budget_tokens"},
                    Refused{with(R"("thinking":{})"), "thinking.type"},
                    Refused{with(R"("output_config":{"effort":1})"), "output_config.effort"},
                    Refused{with(R"("output_config":{"format":{"type":"xml"}})"),
                            "output_config.format.type"},
                    Refused{with(R"("metadata":{"user_id":1})"), "metadata.user_id"},
                    Refused{with(R"("tools":{})"), "tools"},
                    Refused{with(R"("tools":[1])"), "tools[0]"},
                    Refused{with(R"("tools":[{"name":"f"}])"), "tools[0].input_schema"},
                    Refused{with(R"("tools":[{"input_schema":{}}])"), "tools[0].name"},
                    Refused{with(R"("tool_choice":"auto")"), "tool_choice"},
                    Refused{with(R"("tool_choice":{"type":"function"})"), "tool_choice.type"},
                    Refused{with(R"("tool_choice":{"type":"tool"})"), "tool_choice.name"}));

TEST(MessagesVersion, TwoAreKnown) {
  EXPECT_TRUE(check_version(std::nullopt));
  EXPECT_TRUE(check_version("2023-06-01"));
  EXPECT_TRUE(check_version("2026-10-21"));
  const auto other = check_version("2023-01-01");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().param, "anthropic-version");
}

}  // namespace
}  // namespace deeppool::llm::anthropic
