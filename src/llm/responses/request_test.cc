#include "llm/responses/request.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "llm/opaque.h"
#include "llm/openai/request.h"

namespace deeppool::llm::responses {
namespace {

using json::PaddedBytes;

std::string with(std::string_view members) {
  return R"({"model":"m","input":"hi",)" + std::string(members) + "}";
}
std::string items(std::string_view list) {
  return R"({"model":"m","input":[)" + std::string(list) + "]}";
}

boost::json::object house_of(std::string_view request) {
  const auto house = to_house(PaddedBytes(request));
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

class ResponsesRequest : public testing::TestWithParam<Said> {};

TEST_P(ResponsesRequest, IsSaidInTheHouse) {
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

constexpr std::string_view kTools =
    R"("tools":[{"type":"function","name":"f","description":"d","parameters":{"a":1},"strict":true}])";

INSTANTIATE_TEST_SUITE_P(
    Options, ResponsesRequest,
    testing::Values(
        Said{"Limit", with(R"("max_output_tokens":7)"), "max_completion_tokens", "7"},
        Said{"Stream", with(R"("stream":true)"), "stream_options", R"({"include_usage":true})"},
        Said{"Temperature", with(R"("temperature":0.5)"), "temperature", "0.5"},
        Said{"Unknown", with(R"("enable_thinking":true)"), "enable_thinking", "true"},
        Said{"Null", with(R"("top_p":null)"), "top_p", ""},
        Said{"Metadata", with(R"("metadata":{"a":"b"})"), "metadata", ""},
        Said{"Store", with(R"("store":true)"), "store", ""},
        Said{"Effort", with(R"("reasoning":{"effort":"high","summary":"auto"})"),
             "reasoning_effort", R"("high")"},
        Said{"Verbosity", with(R"("text":{"verbosity":"low"})"), "verbosity", R"("low")"},
        Said{
            "Format",
            with(
                R"("text":{"format":{"type":"json_schema","name":"n","schema":{},"strict":true}})"),
            "response_format",
            R"({"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{}}})"},
        Said{"JsonObject", with(R"("text":{"format":{"type":"json_object"}})"), "response_format",
             R"({"type":"json_object"})"},
        Said{"PlainText", with(R"("text":{"format":{"type":"text"}})"), "response_format", ""},
        Said{"Tools", with(kTools), "tools",
             R"([{"type":"function","function":{"name":"f","description":"d","parameters":{"a":1},)"
             R"("strict":true}}])"},
        Said{"NoTools", with(R"("tools":[],"parallel_tool_calls":false,"tool_choice":"auto")"),
             "parallel_tool_calls", ""},
        Said{"Choice",
             with(std::string(kTools) + R"(,"tool_choice":{"type":"function","name":"f"})"),
             "tool_choice", R"({"type":"function","function":{"name":"f"}})"},
        Said{
            "Allowed",
            with(std::string(kTools) + R"(,"tool_choice":{"type":"allowed_tools","mode":"auto",)"
                                       R"("tools":[{"type":"function","name":"f"}]})"),
            "tool_choice",
            R"({"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function",)"
            R"("function":{"name":"f"}}]}})"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Input, ResponsesRequest,
    testing::Values(
        Said{"Text", with(R"("instructions":"be")"), "messages",
             R"([{"role":"system","content":"be"},{"role":"user","content":"hi"}])"},
        Said{
            "Messages",
            items(R"({"role":"developer","content":"d"},{"role":"user","content":[{"type":)"
                  R"("input_text","text":"a"}]},{"type":"message","role":"assistant","id":"msg_1",)"
                  R"("content":[{"type":"output_text","text":"b"},{"type":"refusal",)"
                  R"("refusal":"c"}]},{"role":"assistant","content":"d"})"),
            "messages",
            R"([{"role":"developer","content":"d"},{"role":"user","content":"a"},)"
            R"({"role":"assistant","content":"bc"},{"role":"assistant","content":"d"}])"},
        Said{"Pictures",
             items(R"({"role":"user","content":[{"type":"input_text","text":"a"},)"
                   R"({"type":"input_image","image_url":"u","detail":"low"},)"
                   R"({"type":"input_file","filename":"f.pdf","file_data":"data:x"}]})"),
             "messages",
             R"([{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url",)"
             R"("image_url":{"url":"u","detail":"low"}},{"type":"file","file":{"filename":"f.pdf",)"
             R"("file_data":"data:x"}}]}])"},
        Said{
            "ToolLoop",
            items(R"({"role":"user","content":"a"},{"type":"reasoning","id":"r","summary":[)"
                  R"({"type":"summary_text","text":"s"}]},{"type":"function_call","call_id":"c1",)"
                  R"("name":"f","arguments":"{}"},{"type":"function_call","call_id":"c2",)"
                  R"("name":"g","arguments":""},{"type":"function_call_output","call_id":"c1",)"
                  R"("output":"o"},{"type":"function_call_output","call_id":"c2","output":[)"
                  R"({"type":"input_text","text":"t"},{"type":"input_image","image_url":"u"}]},)"
                  R"({"role":"user","content":"b"})"),
            "messages",
            R"([{"role":"user","content":"a"},{"role":"assistant","content":null,)"
            R"("reasoning_content":"s","tool_calls":[{"id":"c1","type":"function","function":)"
            R"({"name":"f","arguments":"{}"}},{"id":"c2","type":"function","function":{"name":"g",)"
            R"("arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"o"},)"
            R"({"role":"tool","tool_call_id":"c2","content":[{"type":"text","text":"t"},)"
            R"({"type":"text","text":"What the tool returned follows in the next message."}]},)"
            R"({"role":"user","content":[{"type":"text","text":"Returned by the tool call c2:"},)"
            R"({"type":"image_url","image_url":{"url":"u"}}]},{"role":"user","content":"b"}])"}),
    name_of);

TEST(ResponsesReasoning, WhatWasWrappedComesBack) {
  const std::string kept = to_opaque(
      R"([{"type":"thinking","thinking":"hm","signature":"S"},{"type":"thinking","thinking":"x"},)"
      R"({"type":"tool_call.extra_content","id":"c1","extra_content":{"g":1}}])");
  const auto house = house_of(
      items(R"({"type":"reasoning","summary":[],"encrypted_content":")" + kept +
            R"("},{"type":"reasoning","summary":[{"text":"y"}],"encrypted_content":"another's"},)"
            R"({"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},)"
            R"({"type":"message","role":"assistant","content":"z"})"));
  EXPECT_EQ(house.at("messages"),
            json(R"([{"role":"assistant","content":"z","reasoning_content":"hmx\n\ny",)"
                 R"("reasoning_details":[{"type":"thinking","thinking":"hm","signature":"S"}],)"
                 R"("tool_calls":[{"id":"c1","type":"function","function":{"name":"f",)"
                 R"("arguments":"{}"},"extra_content":{"g":1}}]}])"))
      << boost::json::serialize(house.at("messages"));
}

TEST(ResponsesRepeated, TheRequestIsRepeatedUnlessItIsLarge) {
  const auto repeated = [](const std::string& request) {
    const auto house = to_house(PaddedBytes(request));
    EXPECT_EQ(house->asked.repeated.find('\n'), std::string::npos);
    return json("{" + house->asked.repeated + "\"end\":0}");
  };
  const auto small = repeated(with("\"instructions\":\n\"be\",\"metadata\":{\n\"a\":\"b\"}"));
  EXPECT_EQ(small.at("instructions"), "be");
  EXPECT_EQ(small.at("metadata").at("a"), "b");
  EXPECT_EQ(small.at("tool_choice"), "auto");
  const auto large = repeated(with(R"("instructions":")" + std::string(40000, 'x') + "\""));
  EXPECT_TRUE(large.at("instructions").is_null());
}

struct Refused {
  std::string request;
  std::string_view param;
};

class ResponsesRefusal : public testing::TestWithParam<Refused> {};

TEST_P(ResponsesRefusal, NamesThePath) {
  const auto house = to_house(PaddedBytes(GetParam().request));
  ASSERT_FALSE(house) << GetParam().request;
  EXPECT_EQ(house.error().code, ErrorCode::invalid_request);
  EXPECT_EQ(house.error().param, GetParam().param) << house.error().message;
}

TEST(ResponsesRequest, AReferenceIsRefusedWithTheWayOut) {
  const auto house = to_house(PaddedBytes(items(R"({"type":"item_reference","id":"x"})")));
  ASSERT_FALSE(house);
  EXPECT_NE(house.error().message.find("set store: false"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    State, ResponsesRefusal,
    testing::Values(Refused{with(R"("previous_response_id":"resp_1")"), "previous_response_id"},
                    Refused{with(R"("conversation":{"id":"c"})"), "conversation"},
                    Refused{with(R"("prompt":{"id":"p"})"), "prompt"},
                    Refused{with(R"("background":true)"), "background"},
                    Refused{items(R"({"type":"item_reference","id":"x"})"), "input[0].type"},
                    Refused{with(R"("messages":[])"), "messages"},
                    Refused{with(R"("max_tokens":5)"), "max_tokens"},
                    Refused{with(R"("n":2)"), "n"}));

INSTANTIATE_TEST_SUITE_P(
    Fields, ResponsesRefusal,
    testing::Values(
        Refused{"[]", ""}, Refused{"{\"model\":}", ""}, Refused{R"({"input":"x"})", "model"},
        Refused{R"({"model":"m"})", "input"}, Refused{R"({"model":"m","input":5})", "input"},
        Refused{R"({"model":"m","input":[]})", "input"}, Refused{items("1"), "input[0]"},
        Refused{items(R"({"content":"x"})"), "input[0].role"},
        Refused{items(R"({"role":"robot","content":"x"})"), "input[0].role"},
        Refused{items(R"({"role":"user"})"), "input[0].content"},
        Refused{items(R"({"role":"user","content":[]})"), "input[0].content"},
        Refused{items(R"({"role":"user","content":[{"type":"input_video"}]})"),
                "input[0].content[0].type"},
        Refused{items(R"({"role":"user","content":[{"type":"input_text"}]})"),
                "input[0].content[0].text"},
        Refused{items(R"({"role":"user","content":[{"type":"input_image","file_id":"f"}]})"),
                "input[0].content[0].file_id"},
        Refused{items(R"({"role":"assistant","content":[{"type":"input_image"}]})"),
                "input[0].content[0].type"},
        Refused{items(R"({"type":"web_search_call"})"), "input[0].type"},
        Refused{items(R"({"type":"function_call","call_id":"c","name":"f"})"),
                "input[0].arguments"},
        Refused{items(R"({"type":"function_call_output","output":"x"})"), "input[0].call_id"},
        Refused{items(R"({"type":"function_call_output","call_id":"c"})"), "input[0].output"},
        Refused{items(R"({"type":"reasoning","summary":"s"})"), "input[0].summary"},
        Refused{items(R"({"type":"reasoning","summary":[],"encrypted_content":")" + to_opaque("7") +
                      "\"}"),
                "input[0].encrypted_content"},
        Refused{with(R"("tools":[{"type":"web_search"}])"), "tools[0].type"},
        Refused{with(R"("tools":[{"type":"function"}])"), "tools[0].name"},
        Refused{with(std::string(kTools) + R"(,"tool_choice":"any")"), "tool_choice"},
        Refused{with(std::string(kTools) + R"(,"tool_choice":{"type":"mcp"})"), "tool_choice.type"},
        Refused{with(R"("max_output_tokens":0)"), "max_output_tokens"},
        Refused{with(R"("reasoning":{"effort":1})"), "reasoning.effort"},
        Refused{with(R"("text":{"format":{"type":"xml"}})"), "text.format.type"},
        Refused{with(R"("include":"all")"), "include"}, Refused{with(R"("stream":1)"), "stream"},
        Refused{with(R"("instructions":[])"), "instructions"}));

}  // namespace
}  // namespace deeppool::llm::responses
