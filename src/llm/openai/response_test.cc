#include "llm/openai/response.h"

#include <gtest/gtest.h>

#include "llm/tokenizer/test_tokenizers.h"

namespace deeppool::llm {
namespace {

using json::PaddedBytes;

constexpr std::string_view kFull = R"({"prompt_tokens":4,"completion_tokens":2,"total_tokens":6,)"
                                   R"("prompt_tokens_details":{"cached_tokens":1},)"
                                   R"("completion_tokens_details":{"reasoning_tokens":0}})";

TEST(Response, PutsTheModelBackAndCompletesUsage) {
  const PaddedBytes body(
      R"({"usage" : {"prompt_tokens":4,"completion_tokens":2,"cached_tokens":1},"model":"up",)"
      R"( "choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}], "y":1.0})");
  const auto made = rewrite_response(Api::chat_completions, body, "pub\"lic");
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(
      made->body.to_string(),
      R"({"usage" : {"prompt_tokens":4,"completion_tokens":2,"cached_tokens":1,)"
      R"("total_tokens":6,"prompt_tokens_details":{"cached_tokens":1},)"
      R"("completion_tokens_details":{"reasoning_tokens":0}},"model":"pub\"lic",)"
      R"( "choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}], "y":1.0})");
  EXPECT_EQ(made->body.size(), made->body.to_string().size());
  EXPECT_EQ(made->finish_reason, "stop");
  EXPECT_EQ(made->choice_count, 1);
  ASSERT_TRUE(made->usage);
  EXPECT_EQ(made->usage->cached_tokens, 1);
}

TEST(Response, ReasoningHasOneName) {
  const PaddedBytes body(
      R"({"choices":[{"message":{"reasoning":"a","content":"x"}},{"message":{"reasoning":"b",)"
      R"("reasoning_content":"b"}}],"model":"up","more":[{"reasoning":"c"}]})");
  const auto made = rewrite_response(Api::chat_completions, body, "m");
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(
      made->body.to_string(),
      R"({"choices":[{"message":{"reasoning_content":"a","content":"x"}},{"message":{"reasoning":"b",)"
      R"("reasoning_content":"b"}}],"model":"m","more":[{"reasoning":"c"}]})");
}

TEST(Response, FullUsageIsLeftByteForByte) {
  const std::string text =
      R"({"model":"m","choices":[],"usage": )" + std::string(kFull) + R"( ,"z":[ ]})";
  const PaddedBytes body(text);
  const auto made = rewrite_response(Api::chat_completions, body, "m");
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->body.to_string(), text);
  EXPECT_EQ(made->usage->total(), 6);
}

TEST(Response, MissingUsageIsFilledIn) {
  const Usage usage{.prompt_tokens = 4, .completion_tokens = 2, .cached_tokens = 1};
  for (const std::string_view text :
       {R"({"choices":[],"model":"up"})", R"({"choices":[],"model":"up","usage":null})",
        R"({"choices":[],"model":"up","usage":{}})"}) {
    const PaddedBytes body(text);
    const auto made = rewrite_response(Api::chat_completions, body, "p", &usage);
    ASSERT_TRUE(made.ok());
    EXPECT_FALSE(made->usage);
    EXPECT_EQ(made->body.to_string(),
              R"({"choices":[],"model":"p","usage":)" + std::string(kFull) + "}");
  }
}

TEST(Response, EmbeddingsKeepTheirOwnUsage) {
  const PaddedBytes body(
      R"({"data":[{"embedding":[0.1]},{}],"model":"up","usage":{"prompt_tokens":3,)"
      R"("total_tokens":3}})");
  const auto made = rewrite_response(Api::embeddings, body, "p");
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->choice_count, 2);
  EXPECT_EQ(made->body.to_string(),
            R"({"data":[{"embedding":[0.1]},{}],"model":"p","usage":{"prompt_tokens":3,)"
            R"("total_tokens":3}})");
  const Usage usage{.prompt_tokens = 3};
  const PaddedBytes bare(R"({"data":[]})");
  const auto filled = rewrite_response(Api::embeddings, bare, "p", &usage);
  ASSERT_TRUE(filled.ok());
  EXPECT_EQ(filled->body.to_string(),
            R"({"data":[],"model":"p","usage":{"prompt_tokens":3,"total_tokens":3}})");
}

TEST(Response, AnErrorWith200IsAnError) {
  for (
      const std::string_view text :
      {R"({"error":{"message":"Rate limit","code":429}})", R"({"error":"too many requests"})",
       R"({"choices":[],"error":{"code":"rate_limit"}})",
       R"({"id":"x","choices":null,"base_resp":{"status_code":1002,"status_msg":"rate limit"}})"}) {
    const PaddedBytes body(text);
    const auto made = rewrite_response(Api::chat_completions, body, "p");
    ASSERT_TRUE(made.ok()) << text;
    ASSERT_TRUE(made->error) << text;
    EXPECT_EQ(made->error->kind, UpstreamError::Kind::rate_limited) << text;
  }
}

TEST(Response, WhatIsNoAnswerFails) {
  for (const std::string_view text : {"", "<html>", "[]", "{}", R"({"choices":[])",
                                      "{\"x\":\"\xff\"}", R"({"choices":[]} trailing)"}) {
    const PaddedBytes body(text);
    const auto made = rewrite_response(Api::chat_completions, body, "p");
    ASSERT_FALSE(made.ok()) << text;
    EXPECT_EQ(made.error().code, ErrorCode::upstream_failed);
  }
}

TEST(Response, TextIsCountedWhereUsageIsMissing) {
  const PaddedBytes body(
      R"({"choices":[{"message":{"content":"Hello world","reasoning_content":"Let me",)"
      R"("tool_calls":)"
      R"([{"function":{"name":"get","arguments":"{}"}}]}},{"text":"Hello world"}]})");
  const Usage usage =
      estimate_usage(Api::chat_completions, body, 7, test_tokenizers().for_model("gpt-4o"));
  EXPECT_EQ(usage.prompt_tokens, 7);
  EXPECT_EQ(usage.reasoning_tokens, 2);
  EXPECT_EQ(usage.completion_tokens, 8);
  EXPECT_EQ(usage.source, Usage::Source::estimated);
}

TEST(Response, ContentInPartsIsCountedToo) {
  const PaddedBytes body(
      R"({"choices":[{"message":{"content":[{"type":"thinking","thinking":[{"type":"text",)"
      R"("text":"Let me"}]},{"type":"text","text":"Hello world"}]}}]})");
  const Usage usage =
      estimate_usage(Api::chat_completions, body, 7, test_tokenizers().for_model("gpt-4o"));
  EXPECT_EQ(usage.reasoning_tokens, 2);
  EXPECT_EQ(usage.completion_tokens, 4);
}

TEST(Response, EveryUsageSaysWhatTheCallerPays) {
  const std::string full = R"({"prompt_tokens":9,"completion_tokens":4,"total_tokens":13,)"
                           R"("prompt_tokens_details":{"cached_tokens":0},)"
                           R"("completion_tokens_details":{"reasoning_tokens":0})";
  struct Case {
    std::string usage;  // of the upstream, as a member with its comma; empty: none
    std::string with_cost;
  };
  const Case cases[] = {
      {",\"usage\":" + full + "}", full + R"(,"cost":1.5})"},
      {",\"usage\":" + full + R"(,"cost":77})", full + R"(,"cost":1.5})"},
      {R"(,"usage":{"prompt_tokens":9,"completion_tokens":4})",
       R"({"prompt_tokens":9,"completion_tokens":4,"total_tokens":13,)"
       R"("prompt_tokens_details":{"cached_tokens":0},)"
       R"("completion_tokens_details":{"reasoning_tokens":0},"cost":1.5})"},
      {"", full + R"(,"cost":1.5})"},
      {",\"usage\":null", full + R"(,"cost":1.5})"},
  };
  const Usage fallback{.prompt_tokens = 9, .completion_tokens = 4};
  for (const Case& c : cases) {
    for (const bool usage_first : {true, false}) {
      const std::string model = R"(,"model":"up")";
      const PaddedBytes body(R"({"choices":[])" +
                             (usage_first ? c.usage + model : model + c.usage) + "}");
      int asked = 0;
      const auto cost_of = [&](const Usage& usage) {
        ++asked;
        EXPECT_EQ(usage.total(), 13);
        return std::string_view("1.5");
      };
      const auto made = rewrite_response(Api::chat_completions, body, "p", &fallback, cost_of);
      ASSERT_TRUE(made.ok());
      EXPECT_NE(made->body.to_string().find("\"usage\":" + c.with_cost), std::string::npos)
          << made->body.to_string();
      EXPECT_EQ(asked, 1);
    }
  }
  const PaddedBytes vectors(
      R"({"data":[],"model":"m","usage":{"prompt_tokens":9,"total_tokens":9}})");
  const auto made = rewrite_response(Api::embeddings, vectors, "m", nullptr,
                                     [](const Usage&) { return std::string_view("0"); });
  EXPECT_EQ(made->body.to_string(),
            R"({"data":[],"model":"m","usage":{"prompt_tokens":9,"total_tokens":9,"cost":0}})");
}

TEST(Usage, DialectsMeanTheSame) {
  struct Dialect {
    std::string_view json;
    Usage usage;
  };
  for (const Dialect& dialect : std::initializer_list<Dialect>{
           {R"({"prompt_tokens":9,"completion_tokens":4,)"
            R"("prompt_tokens_details":{"cached_tokens":5,"cache_write_tokens":2},)"
            R"("completion_tokens_details":{"reasoning_tokens":3}})",
            {9, 4, 5, 2, 3}},
           {R"({"prompt_tokens":9,"completion_tokens":4,"prompt_cache_hit_tokens":5,)"
            R"("prompt_cache_miss_tokens":4})",
            {9, 4, 5, 0, 0}},
           {R"({"prompt_tokens":9,"completion_tokens":4,"cached_tokens":5})", {9, 4, 5, 0, 0}},
           {R"({"prompt_tokens":9,"completion_tokens":4,)"
            R"("prompt_tokens_details":{"cached_tokens":0,"cache_creation_input_tokens":8}})",
            {9, 4, 0, 8, 0}},
           {R"({"prompt_tokens":9.0,"completion_tokens":null,"cached_tokens":50})",
            {9, 0, 9, 0, 0}},
           {R"({"input_tokens":9,"output_tokens":4,)"
            R"("completion_tokens_details":{"reasoning_tokens":9}})",
            {9, 4, 0, 0, 4}},
           {R"({"prompt_tokens":20,"completion_tokens":9,"prompt_tokens_details":)"
            R"({"cached_tokens":3,"image_tokens":5,"audio_tokens":2,"text_tokens":10},)"
            R"("completion_tokens_details":{"audio_tokens":4,"image_tokens":1}})",
            {.prompt_tokens = 20,
             .completion_tokens = 9,
             .cached_tokens = 3,
             .image_input_tokens = 5,
             .audio_input_tokens = 2,
             .image_output_tokens = 1,
             .audio_output_tokens = 4}},
           // The cached ones were pictures, too: counted once.
           {R"({"prompt_tokens":20,"completion_tokens":3,"prompt_tokens_details":)"
            R"({"cached_tokens":15,"image_tokens":18,"audio_tokens":18},)"
            R"("completion_tokens_details":{"audio_tokens":40}})",
            {.prompt_tokens = 20,
             .completion_tokens = 3,
             .cached_tokens = 15,
             .image_input_tokens = 5,
             .audio_output_tokens = 3}}}) {
    const PaddedBytes json(dialect.json);
    const auto usage = read_usage(json.view());
    ASSERT_TRUE(usage) << dialect.json;
    EXPECT_EQ(*usage, dialect.usage) << dialect.json;
  }
  // What cannot be billed on is no usage at all: our own count takes its place.
  for (const std::string_view none :
       {"null", "{}", "5", R"({"total_tokens":5})", R"({"prompt_tokens":"5"})",
        R"({"prompt_tokens":-5,"completion_tokens":1})",
        R"({"prompt_tokens":5,"completion_tokens":1e300})",
        R"({"prompt_tokens":3.5,"completion_tokens":1})",
        R"({"prompt_tokens":"many","completion_tokens":5})",
        R"({"prompt_tokens":3,"completion_tokens":5,"total_tokens":[]})"}) {
    EXPECT_FALSE(read_usage(PaddedBytes(none).view())) << none;
  }
}

// read_usage says so exactly when append_full_usage would change nothing.
TEST(Usage, KnowsItsFullShape) {
  const std::string head = R"({"prompt_tokens":9,"completion_tokens":4,"total_tokens":13,)";
  const std::string prompt = R"("prompt_tokens_details":{"cached_tokens":0},)";
  const std::string completion = R"("completion_tokens_details":{"reasoning_tokens":0}})";
  int full = 0;
  for (const std::string& json :
       {head + prompt + completion, head + prompt + R"("x":1,)" + completion, head + completion,
        head + R"("prompt_tokens_details":{},)" + completion,
        head + R"("prompt_tokens_details":{"cached_tokens":null},)" + completion,
        head + R"("prompt_tokens_details":null,)" + completion,
        head + prompt + R"("prompt_tokens_details":{},)" + completion,
        head + prompt + R"("total_tokens":null,)" + completion,
        head + prompt + R"("completion_tokens_details":{"reasoning_tokens":"0"}})",
        R"({"input_tokens":9,"total_tokens":13,"completion_tokens":4,)" + prompt + completion}) {
    const PaddedBytes bytes(json);
    json::Reader reader(bytes.view());
    const auto found = read_usage(reader);
    ASSERT_TRUE(found) << json;
    std::string completed;
    append_full_usage(completed, bytes.view(), found->usage);
    EXPECT_EQ(found->full_shape, completed == json) << json;
    full += found->full_shape;
  }
  EXPECT_EQ(full, 2);
}

}  // namespace
}  // namespace deeppool::llm
