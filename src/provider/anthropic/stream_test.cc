#include "provider/anthropic/stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <boost/json.hpp>

#include "http/sse.h"
#include "llm/openai/chunk.h"
#include "llm/tokenizer/test_tokenizers.h"
#include "provider/anthropic/limits.h"
#include "provider/anthropic/test_asking.h"
#include "testing/golden.h"

namespace deeppool::provider::anthropic {
namespace {

namespace bj = boost::json;
using ::testing::HasSubstr;
using Verdict = StreamTranslator::Verdict;

const std::filesystem::path kFolder =
    std::filesystem::path(DEEPPOOL_SOURCE_DIR) / "src/provider/testdata/anthropic/stream";

// What a stream's bytes become: house events, one a line, and how it ended.
class Translated {
 public:
  // `cuts`: offsets at which the bytes are divided.
  explicit Translated(std::string_view bytes, const std::vector<size_t>& cuts = {}) {
    size_t begin = 0;
    for (const size_t cut : cuts) {
      feed(bytes.substr(begin, cut - begin));
      begin = cut;
    }
    feed(bytes.substr(begin));
    http::SseEvent event;
    if (parser_.last(event)) take(event);
  }

  std::string text;
  std::vector<std::string> events;

 private:
  void feed(std::string_view piece) {
    const json::PaddedBytes padded(piece);
    parser_.feed(padded.view());
    http::SseEvent event;
    while (*parser_.next(event)) take(event);
  }

  void take(const http::SseEvent& event) {
    // As the pipeline hands it over: with readable bytes behind it.
    const json::PaddedBytes data(event.data);
    house_.clear();
    const Verdict verdict = stream_.feed({event.type, data.view()}, house_);
    for (size_t i = 0; i < house_.size(); ++i) {
      events.emplace_back(house_[i]);
      text += events.back() + "\n";
    }
    if (verdict != Verdict::more) text += verdict == Verdict::done ? "[DONE]\n" : "[MALFORMED]\n";
  }

  http::SseParser parser_{1 << 20};
  Stream stream_{1795430000};
  HouseEvents house_;
};

TEST(AnthropicStream, Goldens) {
  for (const auto& input : testing::files_ending(kFolder, ".sse")) {
    const Translated made(testing::read_file(input));
    auto golden = input;
    testing::expect_golden(golden.replace_extension(".house.txt"), made.text);
    for (const std::string& event : made.events) {
      boost::system::error_code ec;
      EXPECT_TRUE(bj::parse(event, ec).is_object()) << input << event;
      EXPECT_EQ(event.find('\n'), std::string::npos);
    }
  }
}

TEST(AnthropicStream, AnySplitGivesTheSame) {
  for (const auto& input : testing::files_ending(kFolder, ".sse")) {
    const std::string bytes = testing::read_file(input);
    const std::string whole = Translated(bytes).text;
    std::vector<size_t> everywhere;
    for (size_t i = 1; i < bytes.size(); ++i) {
      EXPECT_EQ(Translated(bytes, {i}).text, whole) << input << " cut at " << i;
      everywhere.push_back(i);
    }
    EXPECT_EQ(Translated(bytes, everywhere).text, whole) << input;
  }
}

std::string event_of(const bj::value& data) {
  return "data: " + bj::serialize(data) + "\n\n";
}
std::string delta_event(int index, const bj::value& delta) {
  return event_of({{"type", "content_block_delta"}, {"index", index}, {"delta", delta}});
}

constexpr std::string_view kBegin =
    "data: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"m\"}}\n\n"
    "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\","
    "\"text\":\"\"}}\n\n";

// The short way through a mould gives what the long way gives.
RC_GTEST_PROP(AnthropicStream, EveryTextArrivesAsItWas, ()) {
  const auto texts = *rc::gen::container<std::vector<std::string>>(
      rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab\"\\\n\t{}:,\x01 }"))));
  std::string bytes(kBegin);
  std::string all;
  for (const std::string& text : texts) {
    bytes += delta_event(0, {{"type", "text_delta"}, {"text", text}});
    all += text;
  }
  std::string got;
  for (const std::string& event : Translated(bytes).events) {
    const bj::value house = bj::parse(event);
    got += house.at_pointer("/choices/0/delta/content").as_string();
  }
  RC_ASSERT(got == all);
}

TEST(AnthropicStream, WhatLooksLikeAnEarlierEventIsReadAnyway) {
  const std::string plain = R"({"type":"content_block_delta","index":0,)"
                            R"("delta":{"type":"text_delta","text":"a"}})";
  const struct {
    const char* data;
    const char* line;
  } cases[] = {
      {R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"b",)"
       R"("x":"c"}})",
       R"("content":"b")"},
      {R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"b" ,)"
       R"("x":"c"}})",
       R"("content":"b")"},
      {"{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":"
       "\"a\xff\"}}",
       "[MALFORMED]"},
      {R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a\q"}})",
       "[MALFORMED]"},
      {R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a")",
       "[MALFORMED]"},
      {"nonsense", "[MALFORMED]"},
      {"[1]", "[MALFORMED]"},
  };
  for (const auto& c : cases) {
    const std::string bytes =
        std::string(kBegin) + "data: " + plain + "\n\ndata: " + c.data + "\n\n";
    EXPECT_THAT(Translated(bytes).text, HasSubstr(c.line)) << c.data;
    EXPECT_THAT(Translated(bytes).text, ::testing::Not(HasSubstr("\"x\""))) << c.data;
  }
}

TEST(AnthropicStream, AThoughtBeyondTheBoundIsPassedOnButNotKept) {
  std::string bytes =
      "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":"
      "{\"type\":\"thinking\",\"thinking\":\"\"}}\n\n";
  const std::string piece(kMaxKeptThoughtBytes / 2, 'x');
  for (int i = 0; i < 3; ++i) {
    bytes += delta_event(0, {{"type", "thinking_delta"}, {"thinking", piece}});
  }
  bytes += delta_event(0, {{"type", "signature_delta"}, {"signature", "s"}});
  bytes += "data: {\"type\":\"content_block_stop\",\"index\":0}\n\n";
  const Translated made(bytes);
  ASSERT_EQ(made.events.size(), 4u);  // the role, and three pieces
  EXPECT_THAT(made.events.back(), HasSubstr("reasoning_content"));
}

TEST(AnthropicStream, ManyOpenBlocksAreBounded) {
  std::string bytes;
  for (size_t i = 0; i <= kMaxOpenBlocks; ++i) {
    bytes += event_of({{"type", "content_block_start"},
                       {"index", i},
                       {"content_block", {{"type", "tool_use"}, {"id", "x"}, {"name", "f"}}}});
  }
  EXPECT_EQ(Translated(bytes).events.size(), 1 + kMaxOpenBlocks);
}

// What a chat caller is shown, by the pipeline's own rewriter.
TEST(AnthropicStream, TheRewriterTakesWhatIsMade) {
  const std::string bytes = testing::read_file(kFolder / "thinking.sse");
  llm::ChunkRewriter rewriter(
      {llm::Api::chat_completions, "public", true, llm::test_tokenizers().for_model("claude")});
  std::string out;
  for (const std::string& event : Translated(bytes).events) {
    const json::PaddedBytes padded(event);
    const auto verdict = rewriter.feed(padded.view(), out);
    EXPECT_TRUE(verdict == llm::ChunkRewriter::Verdict::relay ||
                verdict == llm::ChunkRewriter::Verdict::swallow)
        << event;
  }
  EXPECT_FALSE(rewriter.needs_closing());
  ASSERT_TRUE(rewriter.usage());
  EXPECT_EQ(rewriter.usage()->prompt_tokens, 35);
  EXPECT_EQ(rewriter.usage()->cached_tokens, 5);
  EXPECT_EQ(rewriter.usage()->completion_tokens, 300);
  EXPECT_EQ(rewriter.usage()->reasoning_tokens, 250);
  EXPECT_THAT(out, HasSubstr(R"("reasoning_details":[{"type":"thinking","thinking":)"));
}

TEST(AnthropicStream, ErrorsAreOnesThatTheGatewayKnows) {
  for (const char* name : {"error_midway.sse", "error_first.sse"}) {
    const Translated made(testing::read_file(kFolder / name));
    const json::PaddedBytes last(made.events.back());
    const auto error = llm::find_error(last.view());
    ASSERT_TRUE(error) << name;
    EXPECT_FALSE(error->type.empty()) << name;
  }
}

// The thoughts of a streamed answer, sent back with the results of its calls, are the blocks that
// came.
TEST(AnthropicStream, ThoughtsComeBackAsTheyCame) {
  bj::array details;
  bj::array calls;
  std::string arguments;
  std::string content;
  for (const std::string& event : Translated(testing::read_file(kFolder / "thinking.sse")).events) {
    const bj::value house = bj::parse(event);
    if (house.at("choices").as_array().empty()) continue;
    const bj::object& delta = house.at_pointer("/choices/0/delta").as_object();
    if (delta.contains("reasoning_details")) {
      for (const auto& one : delta.at("reasoning_details").as_array()) details.push_back(one);
    }
    if (delta.contains("content")) content += delta.at("content").as_string();
    if (!delta.contains("tool_calls")) continue;
    const bj::object& call = delta.at("tool_calls").as_array()[0].as_object();
    if (call.contains("id")) calls.push_back(call);
    arguments += call.at("function").at("arguments").as_string();
  }
  ASSERT_EQ(calls.size(), 1u);
  calls[0].at("function").as_object()["arguments"] = arguments;
  const bj::value request = {{"model", "claude-sonnet-4-5"},
                             {"max_tokens", 4000},
                             {"reasoning_effort", "low"},
                             {"messages",
                              {{{"role", "user"}, {"content", "go"}},
                               {{"role", "assistant"},
                                {"content", content},
                                {"reasoning_details", details},
                                {"tool_calls", calls}},
                               {{"role", "tool"}, {"tool_call_id", "toolu_Z"}, {"content", "1"}}}}};
  const UpstreamRequest made = TestAsking(bj::serialize(request)).made();
  const bj::value body = bj::parse(made.body.to_string());
  const bj::value expected = {
      {{"type", "thinking"},
       {"thinking", "Let me think\n\"hard\". Done"},
       {"signature", "EqoBCkgIBxAB=="}},
      {{"type", "redacted_thinking"}, {"data", "EmwKAhgBEgy3va3pzix/"}},
      {{"type", "text"}, {"text", "Because."}},
      {{"type", "tool_use"}, {"id", "toolu_Z"}, {"name", "f"}, {"input", {{"x", 1}}}}};
  EXPECT_EQ(body.at_pointer("/messages/1/content"), expected);
  EXPECT_EQ(body.at_pointer("/thinking/type").as_string(), "enabled");
}

}  // namespace
}  // namespace deeppool::provider::anthropic
