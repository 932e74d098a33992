#include "llm/openai/chunk.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "llm/tokenizer/test_tokenizers.h"

namespace deeppool::llm {
namespace {

using json::PaddedBytes;
using Verdict = ChunkRewriter::Verdict;

constexpr std::string_view kHead =
    R"({"id":"c1","object":"chat.completion.chunk","created":7,"model":)";

ChunkRewriter stream(bool wants_usage = false, Api api = Api::chat_completions) {
  return ChunkRewriter({api, "public", wants_usage, test_tokenizers().for_model("gpt-4o")});
}

struct Fed {
  Verdict verdict;
  std::string out;
};

Fed feed(ChunkRewriter& to, std::string_view event) {
  const PaddedBytes padded(event);
  std::string out = "before";
  const Verdict verdict = to.feed(padded.view(), out);
  EXPECT_EQ(out.substr(0, 6), "before");
  if (verdict != Verdict::relay) EXPECT_EQ(out, "before");
  return {verdict, out.substr(6)};
}

// An upstream's event with these choices, and what the caller must see of it.
std::string upstream(std::string_view choices, std::string_view rest = "") {
  return std::string(kHead) + "\"up\",\"choices\":[" + std::string(choices) + "]" +
         std::string(rest) + "}";
}
std::string caller(std::string_view choices, std::string_view rest = "") {
  return std::string(kHead) + "\"public\",\"choices\":[" + std::string(choices) + "]" +
         std::string(rest) + "}";
}

const std::string kRole = R"({"index":0,"delta":{"role":"assistant","content":"a"}})";

struct Mending {
  std::string_view name;
  std::string_view choice;
  std::string_view expected;
};

class FirstChunk : public testing::TestWithParam<Mending> {};

TEST_P(FirstChunk, IsMended) {
  ChunkRewriter to = stream();
  const Fed fed = feed(to, upstream(GetParam().choice));
  EXPECT_EQ(fed.verdict, Verdict::relay);
  EXPECT_EQ(fed.out, caller(GetParam().expected)) << GetParam().name;
}

INSTANTIATE_TEST_SUITE_P(
    Deviations, FirstChunk,
    testing::Values(Mending{"complete", kRole, kRole},
                    Mending{"role absent", R"({"index":0,"delta":{"content":"a"}})",
                            R"({"index":0,"delta":{"content":"a","role":"assistant"}})"},
                    Mending{"empty delta", R"({"index":0,"delta":{}})",
                            R"({"index":0,"delta":{"role":"assistant"}})"},
                    Mending{"role null", R"({"index":0,"delta":{"role":null}})",
                            R"({"index":0,"delta":{"role":"assistant"}})"},
                    Mending{"role empty", R"({"index":0,"delta":{"role":"", "x":1}})",
                            R"({"index":0,"delta":{"role":"assistant", "x":1}})"},
                    Mending{"index absent", R"({"delta":{"role":"assistant"}})",
                            R"({"delta":{"role":"assistant"},"index":0})"},
                    Mending{"index last", R"({"delta":{"content":"a"},"index":1})",
                            R"({"delta":{"content":"a","role":"assistant"},"index":1})"},
                    Mending{"usage in the choice",
                            R"({"index":0,"delta":{"role":"a"},"usage":{"prompt_tokens":1}})",
                            R"({"index":0,"delta":{"role":"a"}})"},
                    Mending{"usage first in the choice",
                            R"({"usage":null, "index":0,"delta":{"role":"a"}})",
                            R"({"index":0,"delta":{"role":"a"}})"}));

INSTANTIATE_TEST_SUITE_P(
    ToolCalls, FirstChunk,
    testing::Values(
        Mending{"complete",
                R"({"index":0,"delta":{"role":"a","tool_calls":[{"index":0,"id":"x",)"
                R"("type":"function"}]}})",
                R"({"index":0,"delta":{"role":"a","tool_calls":[{"index":0,"id":"x",)"
                R"("type":"function"}]}})"},
        Mending{"type and index absent",
                R"({"index":0,"delta":{"role":"a","tool_calls":[{"id":"x"},{"id":"y"}]}})",
                R"({"index":0,"delta":{"role":"a","tool_calls":[{"id":"x","index":0,)"
                R"("type":"function"},{"id":"y","index":1,"type":"function"}]}})"},
        Mending{"type and index null",
                R"({"index":0,"delta":{"role":"a","tool_calls":[{"index":null,"type":null,)"
                R"("id":"x"}]}})",
                R"({"index":0,"delta":{"role":"a","tool_calls":[{"index":0,"type":"function",)"
                R"("id":"x"}]}})"},
        Mending{"a fragment keeps its shape",
                R"({"index":0,"delta":{"role":"a","tool_calls":[{"index":0,)"
                R"("function":{"arguments":"{"}}]}})",
                R"({"index":0,"delta":{"role":"a","tool_calls":[{"index":0,)"
                R"("function":{"arguments":"{"}}]}})"},
        Mending{"custom",
                R"({"index":0,"delta":{"role":"a","tool_calls":[{"index":0,"id":"x",)"
                R"("custom":{"name":"f"}}]}})",
                R"({"index":0,"delta":{"role":"a","tool_calls":[{"index":0,"id":"x",)"
                R"("custom":{"name":"f"},"type":"custom"}]}})"}));

TEST(Chunk, FragmentsWithoutIndexBelongToTheLastCall) {
  ChunkRewriter to = stream();
  feed(to, upstream(R"({"index":0,"delta":{"tool_calls":[{"id":"x","function":{"name":"f"}}]}})"));
  feed(to, upstream(R"({"index":0,"delta":{"tool_calls":[{"id":"y","function":{"name":"g"}}]}})"));
  EXPECT_EQ(feed(to, upstream(R"({"index":0,"delta":{"tool_calls":[{"function":{}}]}})")).out,
            caller(R"({"index":0,"delta":{"tool_calls":[{"function":{},"index":1}]}})"));
}

TEST(Chunk, OnlyTheFirstDeltaNeedsARole) {
  ChunkRewriter to = stream();
  feed(to, upstream(kRole));
  const std::string later = R"({"index":0,"delta":{"content":"b"},"finish_reason":null})";
  EXPECT_EQ(feed(to, upstream(later)).out, caller(later));
  EXPECT_EQ(feed(to, upstream(R"({"index":1,"delta":{"content":"b"}})")).out,
            caller(R"({"index":1,"delta":{"content":"b","role":"assistant"}})"));
}

TEST(Chunk, ReasoningHasOneName) {
  const struct {
    const char *delta, *expected;
  } cases[] = {
      {R"("reasoning":"a")", R"("reasoning_content":"a")"},
      {R"("content":"","reasoning" : "a","x":1)",
       R"("content":"","reasoning_content" : "a","x":1)"},
      {R"("reasoning":null)", R"("reasoning":null)"},
      {R"("reasoning":"a","reasoning_content":"a")", R"("reasoning":"a","reasoning_content":"a")"},
      {R"("reasoning_content":"a","reasoning":"a")", R"("reasoning_content":"a","reasoning":"a")"},
  };
  for (const auto& c : cases) {
    ChunkRewriter to = stream();
    feed(to, upstream(kRole));
    const auto choice = [](std::string_view delta) {
      return R"({"index":0,"delta":{)" + std::string(delta) + "}}";
    };
    // Once read, and once more by what the first had in common with it.
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(feed(to, upstream(choice(c.delta))).out, caller(choice(c.expected)));
    }
  }
}

TEST(Chunk, WhatIsNotForTheCaller) {
  for (const auto& [event, verdict] : std::initializer_list<std::pair<std::string, Verdict>>{
           {"", Verdict::swallow},
           {" \n", Verdict::swallow},
           {"[DONE]", Verdict::done},
           {" [DONE] ", Verdict::done},
           {R"({"type":"ping"})", Verdict::swallow},
           {R"({"choices":null})", Verdict::swallow},
           {R"({"error":{"message":"x"}})", Verdict::error},
           {R"({"error":"x"})", Verdict::error},
           {R"({"object":"error","message":"x","code":400})", Verdict::error},
           {R"({"base_resp":{"status_code":1002,"status_msg":"x"}})", Verdict::error},
           {upstream("", R"(,"error":{"message":"x"})"), Verdict::error},
           {upstream("", R"(,"error":null)"), Verdict::relay},
           {upstream(""), Verdict::relay},
           {upstream("1"), Verdict::malformed},
           {"[]", Verdict::malformed},
           {"hello", Verdict::malformed},
           {upstream(kRole) + "x", Verdict::malformed},
           {upstream("{\"index\":0,\"x\":\"\xff\"}"), Verdict::malformed}}) {
    ChunkRewriter to = stream();
    EXPECT_EQ(feed(to, event).verdict, verdict) << event;
  }
}

TEST(Chunk, ErrorsAreClassified) {
  using Kind = UpstreamError::Kind;
  for (const auto& [event, kind] : std::initializer_list<std::pair<std::string_view, Kind>>{
           {R"({"error":{"message":"Rate limit reached","code":"rate_limit_exceeded"}})",
            Kind::rate_limited},
           {R"({"error":{"message":"x","code":429}})", Kind::rate_limited},
           {R"({"error":{"message":"You exceeded","code":"insufficient_quota"}})",
            Kind::insufficient_quota},
           {R"({"error":{"message":"This model's maximum context length is 8192 tokens"}})",
            Kind::context_length},
           {R"({"error":{"code":"content_filter"}})", Kind::content_policy},
           {R"({"error":{"code":"invalid_api_key"}})", Kind::authentication},
           {R"({"type":"error","error":{"type":"overloaded_error"}})", Kind::overloaded},
           {R"({"type":"error","error":{"type":"invalid_request_error","message":"Your credit )"
            R"(balance is too low to access the API."}})",
            Kind::insufficient_quota},
           {R"({"error":{"type":"billing_error","message":"x"}})", Kind::insufficient_quota},
           {R"({"error":{"type":"invalid_request_error","message":"prompt is too long: 210000 )"
            R"(tokens > 200000 maximum"}})",
            Kind::context_length},
           {R"({"error":{"type":"rate_limit_error"}})", Kind::rate_limited},
           {R"({"error":{"type":"authentication_error","message":"invalid x-api-key"}})",
            Kind::authentication},
           {R"({"error":{"type":"permission_error"}})", Kind::authentication},
           {R"({"error":{"type":"not_found_error","message":"model: claude-x"}})",
            Kind::model_not_found},
           {R"({"error":{"type":"api_error","message":"Internal server error"}})", Kind::other},
           {R"({"error":{"type":"timeout_error"}})", Kind::other},
           {R"({"error":{"type":"request_too_large"}})", Kind::other},
           {R"({"error":{"type":"invalid_request_error","message":"Output blocked by content )"
            R"(filtering policy"}})",
            Kind::content_policy},
           {R"({"error":{"code":429,"message":"Quota","status":"RESOURCE_EXHAUSTED"}})",
            Kind::rate_limited},
           {R"({"error":{"code":400,"message":"API key not valid. Please pass a valid API key.",)"
            R"("status":"INVALID_ARGUMENT"}})",
            Kind::authentication},
           {R"({"error":{"code":403,"message":"x","status":"PERMISSION_DENIED"}})",
            Kind::authentication},
           {R"({"error":{"code":400,"message":"The input token count (1200000) exceeds the )"
            R"(maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}})",
            Kind::context_length},
           {R"({"error":{"code":503,"message":"x","status":"UNAVAILABLE"}})", Kind::overloaded},
           {R"({"base_resp":{"status_code":1002,"status_msg":"x"}})", Kind::rate_limited},
           {R"({"base_resp":{"status_code":1004,"status_msg":"x"}})", Kind::authentication},
           {R"({"base_resp":{"status_code":1008,"status_msg":"x"}})", Kind::insufficient_quota},
           {R"({"base_resp":{"status_code":1027,"status_msg":"x"}})", Kind::content_policy},
           {R"({"base_resp":{"status_code":2013,"status_msg":"context window exceeds limit"}})",
            Kind::context_length},
           {R"({"error":{"message":"something"}})", Kind::other}}) {
    ChunkRewriter to = stream();
    ASSERT_EQ(feed(to, event).verdict, Verdict::error) << event;
    EXPECT_EQ(to.error().kind, kind) << event;
  }
}

TEST(Chunk, UsageIsHiddenFromCallersWhoDidNotAsk) {
  ChunkRewriter to = stream();
  EXPECT_EQ(feed(to, upstream(kRole, R"(,"usage":null)")).out, caller(kRole));
  EXPECT_EQ(feed(to, R"({"usage":null, "id":"c1","model":"up","choices":[]})").out,
            R"({"id":"c1","model":"public","choices":[]})");
  const std::string usage = R"({"prompt_tokens":5,"completion_tokens":3,"total_tokens":8})";
  EXPECT_EQ(feed(to, upstream(kRole, ",\"usage\":" + usage + ",\"x\":1")).out,
            caller(kRole, ",\"x\":1"));
  ASSERT_TRUE(to.usage());
  EXPECT_EQ(to.usage()->total(), 8);
  EXPECT_EQ(feed(to, upstream("", ",\"usage\":" + usage)).verdict, Verdict::swallow);
}

TEST(Chunk, UsageComesInOneFinalChunkForCallersWhoAsked) {
  ChunkRewriter to = stream(true);
  EXPECT_EQ(feed(to, upstream(kRole, R"(,"usage":{"prompt_tokens":5,"completion_tokens":1})")).out,
            caller(kRole, R"(,"usage":null)"));
  EXPECT_EQ(to.final_usage_chunk(),
            caller("", R"(,"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6,)"
                       R"("prompt_tokens_details":{"cached_tokens":0},)"
                       R"("completion_tokens_details":{"reasoning_tokens":0}})"));
  const Fed last = feed(to, upstream("", R"(,"usage":{"prompt_tokens":5,"completion_tokens":9,)"
                                         R"("total_tokens":14,"prompt_tokens_details":{"x":1},)"
                                         R"("completion_tokens_details":null,)"
                                         R"("prompt_cache_hit_tokens":4},"service_tier":"flex")"));
  EXPECT_EQ(last.verdict, Verdict::swallow);
  EXPECT_EQ(to.usage()->cached_tokens, 4);
  EXPECT_EQ(to.final_usage_chunk(),
            caller("", R"(,"usage":{"prompt_tokens":5,"completion_tokens":9,"total_tokens":14,)"
                       R"("prompt_tokens_details":{"x":1,"cached_tokens":4},)"
                       R"("completion_tokens_details":{"reasoning_tokens":0},)"
                       R"("prompt_cache_hit_tokens":4},"service_tier":"flex")"));
}

TEST(Chunk, TheFinalChunkSaysWhatTheCallerPays) {
  const std::string details = R"("prompt_tokens_details":{"cached_tokens":0},)"
                              R"("completion_tokens_details":{"reasoning_tokens":0})";
  ChunkRewriter to = stream(true);
  feed(to, upstream(kRole, R"(,"usage":{"prompt_tokens":5,"completion_tokens":1})"));
  EXPECT_EQ(to.final_usage_chunk("0.25"),
            caller("", R"(,"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6,)" +
                           details + R"(,"cost":0.25})"));
  feed(to, upstream("", R"(,"usage":{"cost":9.5,"prompt_tokens":5,"completion_tokens":1,)"
                        R"("total_tokens":6,)" +
                            details + "}"));
  EXPECT_EQ(to.final_usage_chunk("0.25"),
            caller("", R"(,"usage":{"cost":0.25,"prompt_tokens":5,"completion_tokens":1,)"
                       R"("total_tokens":6,)" +
                           details + "}"));
  EXPECT_NE(to.final_usage_chunk(Usage{}, "0").find(R"("cost":0})"), std::string::npos);
}

TEST(Chunk, TextBehindItsUsageIsNoticed) {
  ChunkRewriter chunks = stream();
  const auto behind = [&](std::string_view event) {
    feed(chunks, event);
    return chunks.wrote_behind_usage();
  };
  const std::string usage = R"("usage":{"prompt_tokens":5,"completion_tokens":1})";
  const auto says = [](std::string_view text, std::string_view more) {
    return std::string(R"({"id":"c","created":1,"choices":[{"index":0,"delta":{"content":")")
               .append(text)
               .append(R"("},"finish_reason":null}])")
               .append(more) +
           "}";
  };
  EXPECT_FALSE(behind(says("a", "")));
  EXPECT_FALSE(behind(says("b", "," + usage))) << "with its text";
  EXPECT_FALSE(behind(says("", "")));
  EXPECT_TRUE(behind(says("c", "")));
  EXPECT_TRUE(behind(says("d", "")));
  EXPECT_FALSE(behind(R"({"id":"c","created":1,"choices":[],)" + usage + "}"));
}

TEST(Chunk, MissingUsageIsEstimatedFromTheText) {
  ChunkRewriter to = stream(true);
  feed(to, upstream(R"({"index":0,"delta":{"reasoning_content":"Let me","reasoning":"Let me"}})"));
  feed(to, upstream(R"({"index":0,"delta":{"content":"Hello wor"}})"));
  feed(to, upstream(R"({"index":0,"delta":{"content":"ld\n"}})"));
  const Usage usage = to.estimated_usage(10);
  EXPECT_EQ(usage.source, Usage::Source::estimated);
  EXPECT_EQ(usage.reasoning_tokens, 2);
  EXPECT_EQ(usage.completion_tokens, 5);
  EXPECT_EQ(to.final_usage_chunk(), "");
  EXPECT_EQ(to.final_usage_chunk(usage),
            caller("", R"(,"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,)"
                       R"("prompt_tokens_details":{"cached_tokens":0},)"
                       R"("completion_tokens_details":{"reasoning_tokens":2}})"));
}

TEST(Chunk, ClosesWhatTheUpstreamLeftOpen) {
  ChunkRewriter to = stream();
  EXPECT_TRUE(to.needs_closing());
  feed(to, upstream(kRole));
  feed(to, upstream(R"({"index":1,"delta":{"tool_calls":[{"id":"x"}]}})"));
  EXPECT_FALSE(to.saw_finish_reason());
  EXPECT_EQ(to.closing_chunk(),
            caller(R"({"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"},)"
                   R"({"index":1,"delta":{},"logprobs":null,"finish_reason":"tool_calls"})"));
  feed(to, upstream(R"({"index":0,"delta":{},"finish_reason":"length"})"));
  EXPECT_TRUE(to.needs_closing());
  EXPECT_EQ(to.closing_chunk("length"),
            caller(R"({"index":1,"delta":{},"logprobs":null,"finish_reason":"length"})"));
  feed(to, upstream(R"({"index":1,"delta":{},"finish_reason":"tool_calls"})"));
  EXPECT_FALSE(to.needs_closing());
}

TEST(Chunk, CompletionsHaveTextAndNoRoles) {
  ChunkRewriter to = stream(false, Api::completions);
  const std::string event =
      R"({"id":"c","object":"text_completion","model":"up","choices":[{"text":"hi","index":0}]})";
  EXPECT_EQ(feed(to, event).out,
            R"({"id":"c","object":"text_completion","model":"public","choices":[{"text":"hi",)"
            R"("index":0}]})");
  EXPECT_FALSE(to.tally().empty());
  EXPECT_EQ(to.closing_chunk(), R"({"id":"c","object":"text_completion","created":0,)"
                                R"("model":"public","choices":[{"index":0,"text":"",)"
                                R"("logprobs":null,"finish_reason":"stop"}]})");
}

TEST(Chunk, EverythingIsOneLine) {
  ChunkRewriter to = stream();
  EXPECT_EQ(feed(to, "{\"model\":\n\"up\",\r\n\"choices\":[]}").out,
            "{\"model\": \"public\",  \"choices\":[]}");
}

TEST(Chunk, AModelThatIsMissingIsAdded) {
  ChunkRewriter to = stream();
  EXPECT_EQ(feed(to, R"({"choices":[]})").out, R"({"choices":[],"model":"public"})");
}

TEST(Chunk, AMalformedEventLeavesNoTrace) {
  ChunkRewriter to = stream();
  const std::string broken = "{\"id\":\"\xff\",\"created\":3,\"model\":\"up\",\"choices\":[" +
                             kRole + R"(,{"index":1,"finish_reason":"stop"}]})";
  EXPECT_EQ(feed(to, broken).verdict, Verdict::malformed);
  EXPECT_EQ(feed(to, "{\"id\":\"\xff\",\"created\":3,\"model\":\"up\",\"choices\":[]}").verdict,
            Verdict::malformed);
  EXPECT_TRUE(to.tally().empty());
  EXPECT_FALSE(to.saw_finish_reason());
  EXPECT_EQ(feed(to, upstream(R"({"index":0,"delta":{}})")).out,
            caller(R"({"index":0,"delta":{"role":"assistant"}})"));
  EXPECT_EQ(to.closing_chunk(),
            caller(R"({"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"})"));
}

TEST(Chunk, LoneSurrogatesPass) {
  ChunkRewriter to = stream();
  const std::string half = R"({"index":0,"delta":{"role":"a","content":"\ud83d"}})";
  EXPECT_EQ(feed(to, upstream(half)).out, caller(half));
}

std::string content(std::string_view raw) {
  return R"({"index":0,"delta":{"content":")" + std::string(raw) + R"("},"finish_reason":null})";
}

// Chunks alike are poured into the mould of an earlier one. What a rewriter says of its third chunk
// must be what one says that has seen only the first two, whatever the text.
TEST(Mould, ChangesNothingButTheSpeed) {
  const std::string_view texts[] = {"b",
                                    R"(\n\"quoted\" \u00e9)",
                                    "\xc3\xa9\xe2\x82\xac",
                                    R"(\\)",
                                    R"(\)",
                                    R"(\x)",
                                    R"(a","b":"c)",
                                    R"(a"},"x":{"content":"b)",
                                    "\xff",
                                    "tab\tinside",
                                    " ",
                                    R"(\ud83d)"};
  for (const std::string_view text : texts) {
    for (const std::string_view rest : {R"(,"usage":null,"system_fingerprint":"f")", ""}) {
      ChunkRewriter old = stream();
      feed(old, upstream(kRole, rest));
      feed(old, upstream(content("first"), rest));
      const Fed poured = feed(old, upstream(content(text), rest));
      ChunkRewriter fresh = stream();
      feed(fresh, upstream(kRole, rest));
      const Fed walked = feed(fresh, upstream(content(text), rest));
      EXPECT_EQ(poured.verdict, walked.verdict) << text;
      EXPECT_EQ(poured.out, walked.out) << text;
      EXPECT_EQ(old.tally().bytes() - 5, fresh.tally().bytes()) << text;
    }
  }
}

TEST(Mould, IsGoneWhenTheChoiceHasMoved) {
  ChunkRewriter to = stream();
  const std::string call = R"({"index":0,"delta":{"tool_calls":[{"function":{"arguments":"x"}}]}})";
  feed(to, upstream(kRole));
  feed(to, upstream(R"({"index":0,"delta":{"tool_calls":[{"id":"a","function":{"name":"f"}}]}})"));
  const std::string first = feed(to, upstream(call)).out;
  EXPECT_EQ(feed(to, upstream(call)).out, first);
  feed(to, upstream(R"({"index":0,"delta":{"tool_calls":[{"id":"b","function":{"name":"g"}}]}})"));
  const std::string second = feed(to, upstream(call)).out;
  EXPECT_NE(second, first);
  EXPECT_NE(second.find("\"index\":1"), std::string::npos) << second;
}

TEST(ChunkRewriter, SaysWhatACallerWasShown) {
  ChunkRewriter to = stream();
  to.keep_text();
  feed(to, upstream(kRole));
  for (const char* text : {"b", "\\n", "c"}) {
    feed(to, upstream(R"({"index":0,"delta":{"content":")" + std::string(text) + "\"}}"));
  }
  ASSERT_TRUE(to.said());
  EXPECT_EQ(to.said()->text, "ab\nc");
  EXPECT_EQ(to.said()->id_json, "\"c1\"");
  EXPECT_FALSE(to.said()->reasoned);
  feed(to, upstream(R"({"index":0,"delta":{"reasoning_content":"hm"}})"));
  EXPECT_TRUE(to.said()->reasoned);
  feed(to, upstream(R"({"index":0,"delta":{"tool_calls":[{"index":0,"id":"x"}]}})"));
  EXPECT_FALSE(to.said()) << "nobody goes on inside a tool's arguments";
}

TEST(ChunkRewriter, ACallInItsDeprecatedFormIsACall) {
  ChunkRewriter to = stream();
  to.keep_text();
  const std::string empty = R"({"index":0,"delta":{"role":"assistant","function_call":{}}})";
  feed(to, upstream(empty));
  ASSERT_TRUE(to.said()) << "nothing is called yet";
  feed(to, upstream(R"({"index":0,"delta":{"function_call":{"name":"f","arguments":"{\"c"}}})"));
  EXPECT_FALSE(to.said()) << "nobody goes on inside a function's arguments";
  EXPECT_FALSE(to.tally().empty());
  EXPECT_NE(to.closing_chunk().find(R"("finish_reason":"function_call")"), std::string::npos);
}

TEST(ChunkRewriter, NoCallsAreNoCall) {
  ChunkRewriter to = stream();
  to.keep_text();
  feed(to, upstream(R"({"index":0,"delta":{"content":"a","tool_calls":[]}})"));
  ASSERT_TRUE(to.said());
  EXPECT_EQ(to.said()->text, "a");
  EXPECT_NE(to.closing_chunk().find(R"("finish_reason":"stop")"), std::string::npos);
}

TEST(ChunkRewriter, ContentInPartsIsText) {
  ChunkRewriter to = stream();
  to.keep_text();
  const std::string parts =
      R"({"index":0,"delta":{"role":"assistant","content":[{"type":"thinking","thinking":)"
      R"([{"type":"text","text":"hm"}]},{"type":"text","text":"a"},1]}})";
  EXPECT_EQ(feed(to, upstream(parts)).out, caller(parts));
  ASSERT_TRUE(to.said());
  EXPECT_EQ(to.said()->text, "a");
  EXPECT_TRUE(to.said()->reasoned);
}

TEST(ChunkRewriter, SaysNothingWhereNobodyCouldGoOn) {
  ChunkRewriter unkept = stream();
  feed(unkept, upstream(kRole));
  EXPECT_FALSE(unkept.said());
  ChunkRewriter finished = stream();
  finished.keep_text();
  feed(finished, upstream(R"({"index":0,"delta":{},"finish_reason":"stop"})"));
  EXPECT_FALSE(finished.said());
  ChunkRewriter two = stream();
  two.keep_text();
  feed(two, upstream(R"({"index":1,"delta":{"content":"a"}})"));
  EXPECT_FALSE(two.said());
}

}  // namespace
}  // namespace deeppool::llm
