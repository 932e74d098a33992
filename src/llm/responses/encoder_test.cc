#include "llm/responses/encoder.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "llm/opaque.h"

namespace deeppool::llm::responses {
namespace {

using json::PaddedBytes;

std::string delta(std::string_view members, std::string_view finish = "null") {
  return R"({"id":"chatcmpl-1","created":7,"model":"pub","choices":[{"index":0,"delta":{)" +
         std::string(members) + R"(},"finish_reason":)" + std::string(finish) + "}]}";
}
constexpr std::string_view kUsage =
    R"({"id":"c","model":"pub","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":7,)"
    R"("prompt_tokens_details":{"cached_tokens":4},)"
    R"("completion_tokens_details":{"reasoning_tokens":3}}})";

struct Stream {
  explicit Stream(Asked asked = {}) : encoder("own", std::move(asked)) {}
  ResponsesEncoder encoder;
  std::string out;
  void feed(std::string_view chunk) {
    const PaddedBytes padded(chunk);
    encoder.chunk(padded.view(), out);
  }
};

// The events, their frames and numbers checked and taken off.
std::vector<boost::json::object> events(std::string_view out) {
  std::vector<boost::json::object> all;
  while (!out.empty()) {
    const size_t end = out.find("\n\n");
    EXPECT_NE(end, std::string_view::npos);
    const std::string_view event = out.substr(0, end);
    const size_t line = event.find('\n');
    boost::json::object data = boost::json::parse(event.substr(line + 7)).as_object();
    EXPECT_EQ(data.at("type").as_string(), event.substr(7, line - 7));
    EXPECT_EQ(data.at("sequence_number").as_int64(), static_cast<int64_t>(all.size()));
    data.erase("sequence_number");
    all.push_back(std::move(data));
    out.remove_prefix(end + 2);
  }
  return all;
}

std::string types(const std::vector<boost::json::object>& all) {
  std::string list;
  for (const auto& event : all) {
    std::string_view type = event.at("type").as_string();
    if (type.starts_with("response.")) type.remove_prefix(9);
    list.append(list.empty() ? "" : " ").append(type);
  }
  return list;
}

const boost::json::object& last_response(const std::vector<boost::json::object>& all) {
  return all.back().at("response").as_object();
}

TEST(ResponsesEncoder, Text) {
  Stream s;
  s.feed(delta(R"("role":"assistant","content":"")"));
  s.feed(delta(R"("content":"a\"")"));
  s.feed(delta(R"("content":"b")"));
  s.feed(delta("", R"("stop")"));
  s.feed(kUsage);
  s.encoder.end(s.out);
  const auto all = events(s.out);
  EXPECT_EQ(types(all),
            "created in_progress output_item.added content_part.added output_text.delta "
            "output_text.delta output_text.done content_part.done output_item.done completed");
  EXPECT_EQ(all[4], boost::json::parse(
                        R"({"type":"response.output_text.delta","item_id":"msg_own_0",)"
                        R"("output_index":0,"content_index":0,"delta":"a\"","logprobs":[]})"));
  EXPECT_EQ(all[6], boost::json::parse(
                        R"({"type":"response.output_text.done","item_id":"msg_own_0",)"
                        R"("output_index":0,"content_index":0,"text":"a\"b","logprobs":[]})"));
  const auto& response = last_response(all);
  EXPECT_EQ(response.at("id"), "resp_own");
  EXPECT_EQ(response.at("created_at"), 7);
  EXPECT_EQ(response.at("model"), "pub");
  EXPECT_EQ(response.at("status"), "completed");
  EXPECT_EQ(response.at("store"), false);
  EXPECT_EQ(response.at("output"),
            boost::json::parse(
                R"([{"id":"msg_own_0","type":"message","status":"completed","role":"assistant",)"
                R"("content":[{"type":"output_text","text":"a\"b","annotations":[],)"
                R"("logprobs":[]}]}])"));
  EXPECT_EQ(
      response.at("usage"),
      boost::json::parse(R"({"input_tokens":10,"input_tokens_details":{"cached_tokens":4,)"
                         R"("cache_write_tokens":0},"output_tokens":7,"output_tokens_details":)"
                         R"({"reasoning_tokens":3},"total_tokens":17})"));
}

TEST(ResponsesEncoder, ReasoningAndCalls) {
  Stream s;
  s.feed(delta(R"("reasoning_content":"hm")"));
  s.feed(delta(R"("tool_calls":[{"index":0,"id":"c1","function":{"name":"f","arguments":""}}])"));
  s.feed(delta(R"("tool_calls":[{"index":0,"function":{"arguments":"{\"a\":1}"}}])"));
  s.feed(delta(R"("tool_calls":[{"index":1,"function":{"name":"g","arguments":""}}])",
               R"("tool_calls")"));
  s.encoder.end(s.out);
  const auto all = events(s.out);
  EXPECT_EQ(types(all),
            "created in_progress output_item.added content_part.added reasoning_text.delta "
            "reasoning_text.done content_part.done output_item.done output_item.added "
            "function_call_arguments.delta function_call_arguments.done output_item.done "
            "output_item.added function_call_arguments.done output_item.done completed");
  EXPECT_EQ(last_response(all).at("output"),
            boost::json::parse(
                R"([{"id":"rs_own_0","type":"reasoning","summary":[],"content":[{"type":)"
                R"("reasoning_text","text":"hm"}]},{"id":"fc_own_1","type":"function_call",)"
                R"("status":"completed","call_id":"c1","name":"f","arguments":"{\"a\":1}"},)"
                R"({"id":"fc_own_2","type":"function_call","status":"completed",)"
                R"("call_id":"call_fc_own_2","name":"g","arguments":"{}"}])"));
  EXPECT_EQ(all[10], boost::json::parse(
                         R"({"type":"response.function_call_arguments.done","item_id":"fc_own_1",)"
                         R"("output_index":1,"name":"f","arguments":"{\"a\":1}"})"));
}

TEST(ResponsesEncoder, SummariesForThoseWhoAskAndWhatTheNextTurnNeeds) {
  Asked asked;
  asked.reasoning = Asked::Reasoning::summary;
  asked.encrypted_reasoning = true;
  Stream s(std::move(asked));
  s.feed(delta(R"("reasoning_content":"hm")"));
  s.feed(delta(R"("reasoning_details":[{"type":"thinking","thinking":"hm","signature":"S"},)"
               R"({"type":"redacted_thinking","data":"R"}])"));
  s.feed(delta(R"("tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{}"},)"
               R"("extra_content":{"g":1}}])"));
  s.encoder.end(s.out);
  const auto all = events(s.out);
  EXPECT_EQ(types(all),
            "created in_progress output_item.added reasoning_summary_part.added "
            "reasoning_summary_text.delta reasoning_summary_text.done "
            "reasoning_summary_part.done output_item.done output_item.added output_item.done "
            "output_item.added output_item.done output_item.added function_call_arguments.delta "
            "function_call_arguments.done output_item.done completed");
  const auto& output = last_response(all).at("output").as_array();
  EXPECT_EQ(output[0].at("encrypted_content").as_string(),
            to_opaque(R"([{"type":"thinking","thinking":"hm","signature":"S"}])"));
  EXPECT_EQ(output[1].at("encrypted_content").as_string(),
            to_opaque(R"([{"type":"redacted_thinking","data":"R"}])"));
  EXPECT_EQ(output[2].at("encrypted_content").as_string(),
            to_opaque(R"([{"type":"tool_call.extra_content","id":"c","extra_content":{"g":1}}])"));
}

TEST(ResponsesEncoder, CutAnswersAreIncomplete) {
  for (const auto& [finish, reason] :
       std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {R"("length")", "max_output_tokens"}, {R"("content_filter")", "content_filter"}}) {
    Stream s;
    s.feed(delta(R"("content":"a")"));
    s.feed(delta("", finish));
    s.encoder.end(s.out);
    const auto all = events(s.out);
    EXPECT_EQ(all.back().at("type"), "response.incomplete");
    const auto& response = last_response(all);
    EXPECT_EQ(response.at("status"), "incomplete");
    EXPECT_EQ(response.at("incomplete_details").at("reason").as_string(), reason);
    EXPECT_EQ(response.at("output").at(0).at("status"), "incomplete");
  }
}

TEST(ResponsesEncoder, FailuresAreSaidInBothWays) {
  Stream s;
  s.feed(delta(R"("content":"a")"));
  s.encoder.error({502, "broke", "upstream_error", "upstream_error", "", "id"}, s.out);
  const auto all = events(s.out);
  EXPECT_EQ(types(all),
            "created in_progress output_item.added content_part.added output_text.delta error "
            "failed");
  EXPECT_EQ(all[5].at("error").at("message"), "broke");
  EXPECT_EQ(all[5].at("code"), "upstream_error");
  EXPECT_EQ(last_response(all).at("error"),
            boost::json::parse(R"({"code":"server_error","message":"broke"})"));
  Stream early;
  early.encoder.error({502, "broke", "upstream_error", "upstream_error", "p", "id"}, early.out);
  EXPECT_EQ(types(events(early.out)), "created in_progress error failed");
}

TEST(ResponsesEncoder, WholeAnswers) {
  Asked asked;
  asked.repeated = R"("instructions":"be",)";
  ResponsesEncoder encoder("own", std::move(asked));
  const auto made = encoder.whole(PaddedBytes(
      R"({"id":"c","created":9,"model":"pub","choices":[{"index":0,"message":{"role":"assistant",)"
      R"("content":"so","tool_calls":[{"id":"c1","type":"function","function":{"name":"f",)"
      R"("arguments":"{}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1,)"
      R"("completion_tokens":2}})"));
  ASSERT_TRUE(made);
  const auto response = boost::json::parse(*made).as_object();
  EXPECT_EQ(response.at("status"), "completed");
  EXPECT_EQ(response.at("instructions"), "be");
  EXPECT_EQ(response.at("output").as_array().size(), 2u);
  EXPECT_EQ(response.at("usage").at("total_tokens"), 3);
  EXPECT_FALSE(encoder.whole(PaddedBytes("[]")));
}

TEST(ResponsesEncoder, EveryCallOfAWholeAnswerIsACall) {
  for (const char* id : {"", R"("id":"call_0",)"}) {
    const std::string call = "{" + std::string(id) + R"("function":{"name":"f","arguments":"{}"}})";
    ResponsesEncoder encoder("own", {});
    const auto made = encoder.whole(
        PaddedBytes(R"({"choices":[{"message":{"tool_calls":[)" + call + "," + call + "]}}]}"));
    ASSERT_TRUE(made);
    const boost::json::value response = boost::json::parse(*made);
    const boost::json::array& output = response.at("output").as_array();
    ASSERT_EQ(output.size(), 2u) << *made;
    EXPECT_EQ(output[0].at("arguments"), "{}");
    EXPECT_EQ(output[1].at("arguments"), "{}");
    EXPECT_NE(output[0].at("call_id"), output[1].at("call_id"));
  }
}

}  // namespace
}  // namespace deeppool::llm::responses
