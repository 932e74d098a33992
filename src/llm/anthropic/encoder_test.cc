#include "llm/anthropic/encoder.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "llm/anthropic/error.h"
#include "llm/opaque.h"

namespace deeppool::llm::anthropic {
namespace {

using json::PaddedBytes;

// A house chunk whose first choice has this delta.
std::string delta(std::string_view members, std::string_view finish = "null") {
  return R"({"id":"chatcmpl-1","model":"pub","choices":[{"index":0,"delta":{)" +
         std::string(members) + R"(},"finish_reason":)" + std::string(finish) + "}]}";
}
constexpr std::string_view kUsage =
    R"({"id":"c","model":"pub","choices":[],"usage":{"prompt_tokens":100,"completion_tokens":7,)"
    R"("prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":30},)"
    R"("completion_tokens_details":{"reasoning_tokens":3},"cost":0.5}})";

struct Stream {
  MessagesEncoder encoder{"own", 11};
  std::string out;
  void feed(std::string_view chunk) {
    const PaddedBytes padded(chunk);
    encoder.chunk(padded.view(), out);
  }
};

// The events without their frames, one line each; every frame is checked.
std::string lines(std::string_view out) {
  std::string all;
  while (!out.empty()) {
    const size_t end = out.find("\n\n");
    EXPECT_NE(end, std::string_view::npos);
    const std::string_view event = out.substr(0, end);
    const size_t line = event.find('\n');
    const std::string name(event.substr(7, line - 7));
    const std::string_view data = event.substr(line + 7);
    EXPECT_EQ(boost::json::parse(data).at("type").as_string(), name);
    all.append(data).append("\n");
    out.remove_prefix(end + 2);
  }
  return all;
}

constexpr std::string_view kStart =
    R"({"type":"message_start","message":{"id":"msg_own","type":"message","role":"assistant",)"
    R"("model":"pub","content":[],"stop_reason":null,"stop_sequence":null,"usage":{)"
    R"("input_tokens":11,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,)"
    R"("output_tokens":0}}})"
    "\n";
std::string stopped(std::string_view reason) {
  return R"({"type":"message_delta","delta":{"stop_reason":")" + std::string(reason) +
         R"(","stop_sequence":null},"usage":{"input_tokens":10,"cache_creation_input_tokens":30,)"
         R"("cache_read_input_tokens":60,"output_tokens":7,"output_tokens_details":)"
         R"({"thinking_tokens":3},"cost":0.5}})"
         "\n"
         R"({"type":"message_stop"})"
         "\n";
}
std::string start_block(int index, std::string_view block) {
  return R"({"type":"content_block_start","index":)" + std::to_string(index) +
         R"(,"content_block":)" + std::string(block) + "}\n";
}
std::string piece(int index, std::string_view members) {
  return R"({"type":"content_block_delta","index":)" + std::to_string(index) + R"(,"delta":{)" +
         std::string(members) + "}}\n";
}
std::string stop_block(int index) {
  return R"({"type":"content_block_stop","index":)" + std::to_string(index) + "}\n";
}
constexpr std::string_view kTextBlock = R"({"type":"text","text":""})";
constexpr std::string_view kThinkingBlock = R"({"type":"thinking","thinking":"","signature":""})";
std::string tool_block(std::string_view id, std::string_view name) {
  return R"({"type":"tool_use","id":")" + std::string(id) + R"(","name":")" + std::string(name) +
         R"(","input":{}})";
}

TEST(MessagesEncoder, Text) {
  Stream s;
  s.feed(delta(R"("role":"assistant","content":"")"));
  s.feed(delta(R"("content":"a\"b")"));
  s.feed(delta(R"("content":"\u20ac")"));
  s.feed(delta(R"("content":"")", R"("stop")"));
  s.feed(kUsage);
  s.encoder.end(s.out);
  EXPECT_EQ(lines(s.out), std::string(kStart) + start_block(0, kTextBlock) +
                              piece(0, R"("type":"text_delta","text":"a\"b")") +
                              piece(0, R"("type":"text_delta","text":"\u20ac")") + stop_block(0) +
                              stopped("end_turn"));
}

TEST(MessagesEncoder, ReasoningThenTextThenTools) {
  Stream s;
  s.feed(delta(R"("reasoning_content":"hm","content":null)"));
  s.feed(delta(R"("reasoning":"m","content":"")"));
  s.feed(delta(R"("content":"so")"));
  s.feed(delta(R"("tool_calls":[{"index":0,"id":"call_1","type":"function","function":)"
               R"({"name":"f","arguments":""}}])"));
  s.feed(delta(R"("tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}])"));
  s.feed(delta(R"("tool_calls":[{"index":0,"function":{"arguments":"1}"}}])"));
  s.feed(delta(R"("tool_calls":[{"index":1,"function":{"name":"g","arguments":"{}"}}])"));
  s.feed(delta("", R"("stop")"));
  s.feed(kUsage);
  s.encoder.end(s.out);
  EXPECT_EQ(lines(s.out), std::string(kStart) + start_block(0, kThinkingBlock) +
                              piece(0, R"("type":"thinking_delta","thinking":"hm")") +
                              piece(0, R"("type":"thinking_delta","thinking":"m")") +
                              stop_block(0) + start_block(1, kTextBlock) +
                              piece(1, R"("type":"text_delta","text":"so")") + stop_block(1) +
                              start_block(2, tool_block("call_1", "f")) +
                              piece(2, R"("type":"input_json_delta","partial_json":"{\"a\":")") +
                              piece(2, R"("type":"input_json_delta","partial_json":"1}")") +
                              stop_block(2) + start_block(3, tool_block("toolu_own_3", "g")) +
                              piece(3, R"("type":"input_json_delta","partial_json":"{}")") +
                              stop_block(3) + stopped("tool_use"));
}

TEST(MessagesEncoder, CallsThatComeMixedAreSortedOut) {
  Stream s;
  s.feed(delta(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}},)"
               R"({"index":1,"id":"b","function":{"name":"g","arguments":"{\"x\""}}])"));
  s.feed(delta(R"("tool_calls":[{"index":0,"function":{"arguments":"{\"s\":\"}\\\"\"}"}}])"));
  s.feed(delta(R"("tool_calls":[{"index":1,"function":{"arguments":":1}"}}])"));
  s.encoder.end(s.out);
  const std::string all = lines(s.out);
  const std::string tools =
      start_block(0, tool_block("a", "f")) +
      piece(0, R"("type":"input_json_delta","partial_json":"{\"s\":\"}\\\"\"}")") + stop_block(0) +
      start_block(1, tool_block("b", "g")) +
      piece(1, R"("type":"input_json_delta","partial_json":"{\"x\"")") +
      piece(1, R"("type":"input_json_delta","partial_json":":1}")") + stop_block(1);
  EXPECT_EQ(all.substr(kStart.size(), tools.size()), tools);
}

TEST(MessagesEncoder, CallsWithOneIndexButTheirOwnIdsAreTwo) {
  Stream s;
  s.feed(delta(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}])"));
  s.feed(delta(R"("tool_calls":[{"index":0,"id":"b","function":{"name":"f","arguments":"{}"}}])"));
  s.encoder.end(s.out);
  EXPECT_NE(lines(s.out).find(start_block(1, tool_block("b", "f"))), std::string::npos);
}

TEST(MessagesEncoder, SignaturesEndTheirBlock) {
  for (const bool piecewise : {true, false}) {
    Stream s;
    if (piecewise) {
      s.feed(delta(R"("reasoning_content":"hm","reasoning_details":[{"type":"thinking",)"
                   R"("thinking":"hm"}])"));
      s.feed(delta(R"("reasoning_details":[{"type":"thinking","signature":"S"}])"));
    } else {
      s.feed(delta(R"("reasoning_content":"hm")"));
      s.feed(delta(R"("reasoning_details":[{"type":"thinking","thinking":"hm","signature":"S"}])"));
    }
    s.feed(delta(R"("reasoning_details":[{"type":"redacted_thinking","data":"R"}])"));
    s.encoder.end(s.out);
    const std::string blocks =
        start_block(0, kThinkingBlock) + piece(0, R"("type":"thinking_delta","thinking":"hm")") +
        piece(0, R"("type":"signature_delta","signature":"S")") + stop_block(0) +
        start_block(1, R"({"type":"redacted_thinking","data":"R"})") + stop_block(1);
    EXPECT_EQ(lines(s.out).substr(kStart.size(), blocks.size()), blocks) << piecewise;
  }
}

TEST(MessagesEncoder, WhatAVendorWantsBackWithACallIsCarried) {
  Stream s;
  s.feed(delta(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"},)"
               R"("extra_content":{"google":{"thought_signature":"T"}}}])"));
  s.encoder.end(s.out);
  const std::string kept = to_opaque(R"({"type":"tool_call.extra_content","id":"a",)"
                                     R"("extra_content":{"google":{"thought_signature":"T"}}})");
  EXPECT_NE(lines(s.out).find(R"({"type":"redacted_thinking","data":")" + kept + "\"}"),
            std::string::npos);
}

// Gemini signs a text behind its last word. Clients send blocks back as they came, and Anthropic
// refuses messages that end with thinking.
TEST(MessagesEncoder, NoMessageEndsWithWhatAVendorWantsBack) {
  constexpr std::string_view kSigned =
      R"("reasoning_details":[{"type":"gemini.thought_signature","signature":"T"}])";
  Stream text;
  text.feed(delta(R"("content":"a")"));
  text.feed(delta(kSigned, R"("stop")"));
  text.encoder.end(text.out);
  EXPECT_EQ(text.out.find("redacted_thinking"), std::string::npos);
  EXPECT_NE(text.out.find(R"("stop_reason":"end_turn")"), std::string::npos);
  Stream more;
  more.feed(delta(R"("content":"a")"));
  more.feed(delta(kSigned));
  more.feed(delta(R"("content":"b")", R"("stop")"));
  more.encoder.end(more.out);
  const size_t at = more.out.find(R"("index":1,"content_block":{"type":"redacted_thinking")");
  EXPECT_LT(at, more.out.find(R"("index":2,"content_block":{"type":"text")"));
}

TEST(MessagesEncoder, StopReasons) {
  const std::initializer_list<std::pair<std::string_view, std::string_view>> rows = {
      {R"("stop")", "end_turn"},
      {R"("length")", "max_tokens"},
      {R"("content_filter")", "refusal"},
      {R"("tool_calls")", "end_turn"},  // without a call nobody could run one
      {"null", "end_turn"}};
  for (const auto& [finish, reason] : rows) {
    Stream s;
    s.feed(delta(R"("content":"x")", finish));
    s.feed(kUsage);
    s.encoder.end(s.out);
    EXPECT_NE(lines(s.out).find(stopped(reason)), std::string::npos) << finish;
  }
}

TEST(MessagesEncoder, AVendorsOwnWordForTheEnd) {
  const struct {
    const char* finish;  // of the choice, with what stands behind
    const char* reason;
  } rows[] = {{R"("stop","stop_reason":"pause_turn")", "pause_turn"},
              {R"("length","stop_reason":"model_context_window_exceeded")",
               "model_context_window_exceeded"},
              {R"("stop","stop_reason":"###")", "end_turn"},  // vLLM's word for a stop sequence
              {R"("length","stop_reason":"pause_turn")", "max_tokens"}};
  for (const auto& [finish, reason] : rows) {
    Stream s;
    s.feed(delta(R"("content":"x")", finish));
    s.feed(kUsage);
    s.encoder.end(s.out);
    EXPECT_NE(lines(s.out).find(stopped(reason)), std::string::npos) << finish;
    MessagesEncoder encoder("own", 0);
    const auto made =
        encoder.whole(PaddedBytes(R"({"choices":[{"message":{"content":"x"},"finish_reason":)" +
                                  std::string(finish) + "}]}"));
    EXPECT_EQ(boost::json::parse(*made).at("stop_reason"), reason);
  }
}

TEST(MessagesEncoder, AStreamThatWeEndedSaysWhy) {
  Stream s;
  s.feed(R"({"id":"c","model":"pub","choices":[{"index":0,"delta":{},"finish_reason":"length"}],)"
         R"("deeppool":{"stopped_by":"insufficient_quota"}})");
  s.encoder.end(s.out);
  EXPECT_NE(s.out.find(R"("deeppool":{"stopped_by":"insufficient_quota"}})"), std::string::npos);
}

TEST(MessagesEncoder, OtherChoicesAreNotForAnybody) {
  Stream s;
  s.feed(R"({"id":"c","model":"pub","choices":[{"delta":{"content":"b"},"index":1},)"
         R"({"index":0,"delta":{"content":"a"}}]})");
  EXPECT_EQ(s.out.find(R"("text":"b")"), std::string::npos);
  EXPECT_NE(s.out.find(R"("text":"a")"), std::string::npos);
}

TEST(MessagesEncoder, ErrorsAreEvents) {
  Stream s;
  s.encoder.error({503, "busy", "upstream_error", "no_available_backend", "", "id-1"}, s.out);
  EXPECT_EQ(s.out,
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":"
            "\"overloaded_error\",\"message\":\"busy\"},\"request_id\":\"id-1\"}\n\n");
}

TEST(MessagesEncoder, WholeAnswers) {
  MessagesEncoder encoder("own", 0);
  const PaddedBytes house(
      R"({"id":"msg_up","model":"pub","choices":[{"index":0,"message":{"role":"assistant",)"
      R"("reasoning_content":"hm","reasoning_details":[{"type":"thinking","thinking":"hm",)"
      R"("signature":"S"}],"content":"so","tool_calls":[{"id":"a","type":"function","function":)"
      R"({"name":"f","arguments":"{\"x\": 1}"}},{"id":"b","function":{"name":"g",)"
      R"("arguments":""}},{"id":"c","function":{"name":"h","arguments":"[1"}}]},)"
      R"("finish_reason":"tool_calls"}],"usage":{"prompt_tokens":10,"completion_tokens":5,)"
      R"("prompt_tokens_details":{"cached_tokens":4}}})");
  const auto made = encoder.whole(house);
  ASSERT_TRUE(made);
  EXPECT_EQ(
      boost::json::parse(*made),
      boost::json::parse(
          R"({"id":"msg_up","type":"message","role":"assistant","model":"pub","content":[)"
          R"({"type":"thinking","thinking":"hm","signature":"S"},{"type":"text","text":"so"},)"
          R"({"type":"tool_use","id":"a","name":"f","input":{"x":1}},)"
          R"({"type":"tool_use","id":"b","name":"g","input":{}},)"
          R"({"type":"tool_use","id":"c","name":"h","input":{"arguments":"[1"}}],)"
          R"("stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":6,)"
          R"("cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":5}})"))
      << *made;
  EXPECT_FALSE(encoder.whole(PaddedBytes(R"({"object":"x"})")));
}

// As Mistral's models that think have it.
TEST(MessagesEncoder, ContentInParts) {
  constexpr std::string_view kContent =
      R"("content":[{"type":"thinking","thinking":[{"type":"text","text":"h"},{"type":"text",)"
      R"("text":"m"}]},{"type":"thinking","thinking":"!"},{"type":"text","text":"so"},)"
      R"({"type":"reference","reference_ids":[1]},7,{"type":"text","text":"."}])";
  MessagesEncoder encoder("own", 0);
  const auto made =
      encoder.whole(PaddedBytes(R"({"choices":[{"message":{)" + std::string(kContent) + "}}]}"));
  ASSERT_TRUE(made);
  EXPECT_EQ(boost::json::parse(*made).at("content"),
            boost::json::parse(R"([{"type":"thinking","thinking":"hm!","signature":""},)"
                               R"({"type":"text","text":"so."}])"))
      << *made;
  Stream s;
  s.feed(delta(kContent));
  s.feed(delta(R"("content":"?")"));
  s.encoder.end(s.out);
  const std::string sent = lines(s.out);
  EXPECT_NE(sent.find(piece(0, R"("type":"thinking_delta","thinking":"!")")), std::string::npos);
  EXPECT_NE(sent.find(piece(1, R"("type":"text_delta","text":"so")")), std::string::npos) << sent;
  EXPECT_NE(sent.find(piece(1, R"("type":"text_delta","text":"?")")), std::string::npos) << sent;
}

// Some vendors give their calls no ids, or all of them one.
TEST(MessagesEncoder, EveryCallOfAWholeAnswerIsACall) {
  for (const char* id : {"", R"("id":"call_0",)", R"("index":0,)"}) {
    const std::string call = "{" + std::string(id) + R"("function":{"name":"f","arguments":)";
    const PaddedBytes house(R"({"choices":[{"message":{"tool_calls":[)" + call +
                            R"("{\"x\":1}"}},)" + call + R"("{\"x\":2}"}}]}}]})");
    MessagesEncoder encoder("own", 0);
    const auto made = encoder.whole(house);
    ASSERT_TRUE(made);
    const boost::json::value message = boost::json::parse(*made);
    const boost::json::array& content = message.at("content").as_array();
    ASSERT_EQ(content.size(), 2u) << *made;
    EXPECT_EQ(content[0].at("input").at("x"), 1);
    EXPECT_EQ(content[1].at("input").at("x"), 2);
    EXPECT_NE(content[0].at("id"), content[1].at("id"));
  }
}

TEST(MessagesError, HasATypeForEveryStatus) {
  const std::initializer_list<std::tuple<int, std::string_view, int, std::string_view>> rows = {
      {400, "invalid_value", 400, "invalid_request_error"},
      {400, "context_length_exceeded", 400, "invalid_request_error"},
      {401, "invalid_api_key", 401, "authentication_error"},
      {403, "key_disabled", 403, "permission_error"},
      {404, "model_not_found", 404, "not_found_error"},
      {413, "request_too_large", 413, "request_too_large"},
      {429, "rate_limit_exceeded", 429, "rate_limit_error"},
      {429, "insufficient_quota", 402, "billing_error"},
      {500, "internal_error", 500, "api_error"},
      {502, "upstream_error", 502, "api_error"},
      {503, "unavailable", 529, "overloaded_error"},
      {504, "upstream_timeout", 504, "timeout_error"}};
  for (const auto& [status, code, their_status, type] : rows) {
    const ErrorRow row = error_row({status, "", "", code, "", ""});
    EXPECT_EQ(row.status, their_status) << code;
    EXPECT_EQ(row.type, type) << code;
  }
}

}  // namespace
}  // namespace deeppool::llm::anthropic
