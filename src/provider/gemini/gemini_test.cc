#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "http/sse.h"
#include "llm/openai/chunk.h"
#include "provider/gemini/gemini_adapter.h"
#include "provider/gemini/schema.h"
#include "testing/fake_clock.h"
#include "testing/golden.h"

namespace deeppool::provider::gemini {
namespace {

namespace bj = boost::json;
using deeppool::testing::expect_golden;
using deeppool::testing::files_ending;
using deeppool::testing::read_file;
using std::filesystem::path;

const path kTestdata = path(DEEPPOOL_SOURCE_DIR) / "src/provider/testdata/gemini";

path golden_beside(const path& input, std::string_view ending, std::string_view golden) {
  const std::string name = input.filename().string();
  return input.parent_path() / (name.substr(0, name.size() - ending.size()) + std::string(golden));
}

struct Ask {
  explicit Ask(std::string_view text) : body(text), view(parse()) {
    endpoint.provider_type = "gemini";
    endpoint.host = "generativelanguage.googleapis.com";
    endpoint.port = 443;
    endpoint.tls = true;
    endpoint.path_prefix = "/v1beta";
    endpoint.api_key = "key";
    endpoint.upstream_model = view.model;
  }
  llm::RequestView parse() const {
    auto parsed = llm::parse_request(llm::Api::chat_completions, body);
    if (!parsed) throw std::runtime_error(parsed.error().message);
    return *std::move(parsed);
  }
  Result<UpstreamRequest> made(int64_t injected = 0, std::string_view answered = {}) const {
    return adapter.request({.view = view,
                            .body = body,
                            .endpoint = endpoint,
                            .model = model,
                            .output_limit = injected,
                            .request_id = "req",
                            .traceparent = {},
                            .answered_text = answered});
  }

  testing::FakeClock clock;
  GeminiAdapter adapter{clock};
  json::PaddedBytes body;
  llm::RequestView view;
  Endpoint endpoint;
  Model model;
};

std::string request_of(std::string_view house) {
  return Ask(house).made()->body.to_string();
}

TEST(GeminiRequest, WhatIsHeldForIsSaidInTheHousesWords) {
  const auto made = Ask(R"({"model":"gemini-2.5-flash","max_tokens":7,"messages":[{"role":"user",)"
                        R"("content":"x"}],"gemini":{"generationConfig":{"maxOutputTokens":70000,)"
                        R"("candidateCount":8,"topK":4}}})")
                        .made();
  ASSERT_TRUE(made) << made.error().message;
  const std::string body = made->body.to_string();
  EXPECT_NE(body.find(R"("generationConfig":{"maxOutputTokens":7,"topK":4})"), std::string::npos)
      << body;
  EXPECT_EQ(made->dropped.size(), 2u);
}

TEST(GeminiRequest, AnotherSpellingGetsNothingPast) {
  const struct {
    const char* gemini;
    size_t dropped;
    const char* rest;
  } cases[] = {
      {R"({"generation_config":{"candidate_count":8,"max_output_tokens":70000,"top_k":4}})", 2,
       R"(,"generationConfig":{"topK":4}})"},
      {R"({"GenerationConfig":{"CandidateCount":8,"maxoutputtokens":9,"_candidate__count":9}})", 3,
       "}"},
      {R"({"generationConfig":{"candidate_count":8},"generation_config":{"candidateCount":8}})", 1,
       "}"},
      {R"({"system_instruction":{"parts":[{"text":"!"}]},"System_Instruction":1,"Contents":[]})", 3,
       "}"},
      {R"({"safety_settings":[],"tool_config":{"retrieval_config":{}}})", 0,
       R"(,"safetySettings":[],"toolConfig":{"retrievalConfig":{}}})"},
  };
  for (const auto& c : cases) {
    const auto made = Ask(R"({"model":"gemini-2.5-flash","messages":[{"role":"user",)"
                          R"("content":"x"}],"gemini":)" +
                          std::string(c.gemini) + "}")
                          .made();
    ASSERT_TRUE(made) << made.error().message;
    const bj::object sent = bj::parse(made->body.to_string()).as_object();
    bj::object wanted =
        bj::parse(R"({"contents":[{"role":"user","parts":[{"text":"x"}]}])" + std::string(c.rest))
            .as_object();
    EXPECT_EQ(sent, wanted) << made->body.to_string();
    EXPECT_EQ(made->dropped.size(), c.dropped) << c.gemini;
  }
}

TEST(GeminiRequest, Goldens) {
  for (const path& input : files_ending(kTestdata / "request", ".house.json")) {
    const Ask ask(read_file(input));
    const auto made = ask.made();
    ASSERT_TRUE(made) << input << made.error().message;
    std::string text = std::string(made->head.view().substr(0, made->head.view().find("\r\n")));
    for (const std::string& name : made->dropped) text += "\ndropped: " + name;
    text += "\n" + made->body.to_string() + "\n";
    expect_golden(golden_beside(input, ".house.json", ".gemini.txt"), text);
    const json::PaddedBytes body(made->body.to_string());
    json::Reader reader(body.view());
    reader.skip();
    EXPECT_TRUE(reader.finish()) << input << reader.error_reason();
  }
}

TEST(GeminiRequest, TheHeadCarriesGooglesKeyHeader) {
  const Ask ask(R"({"model":"gemini-2.5-flash","messages":[{"role":"user","content":"x"}]})");
  const auto made = ask.made();
  EXPECT_NE(made->head.view().find("\r\nx-goog-api-key: key\r\n"), std::string::npos);
  EXPECT_EQ(made->head.view().find("Authorization"), std::string::npos);
}

TEST(GeminiRequest, AModelsNameCannotLeaveItsPath) {
  Ask ask(R"({"model":"m","messages":[{"role":"user","content":"x"}]})");
  ask.endpoint.upstream_model = "tunedModels/x y\r\nHost: evil?";
  EXPECT_TRUE(ask.made()->head.view().starts_with(
      "POST /v1beta/tunedModels/x%20y%0D%0AHost%3A%20evil%3F:generateContent HTTP/1.1\r\n"));
}

TEST(GeminiRequest, ABoundOfOursAndAnAnswerToGoOnBehind) {
  const Ask ask(R"({"model":"gemini-2.5-flash","messages":[{"role":"user","content":"x"}]})");
  EXPECT_EQ(ask.made(77, "so \"far\"")->body.to_string(),
            R"({"contents":[{"role":"user","parts":[{"text":"x"}]},)"
            R"({"role":"model","parts":[{"text":"so \"far\""}]}],)"
            R"("generationConfig":{"maxOutputTokens":77}})");
}

TEST(GeminiRequest, RefusesWhatCannotBeSaidAndNamesIt) {
  const struct {
    const char* message;
    const char* param;
  } cases[] = {
      {R"({"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y.png"}}]})",
       "messages[0].content[0].image_url"},
      {R"({"role":"user","content":[{"type":"text","text":"a"},{"type":"hologram"}]})",
       "messages[0].content[1].type"},
      {R"({"role":"tool","tool_call_id":"nobody","content":"x"})", "messages[0].tool_call_id"},
      {R"({"role":"user","content":[{"type":"file","file":{"file_id":"file-123"}}]})",
       "messages[0].content[0].file"},
  };
  for (const auto& c : cases) {
    const Ask ask(R"({"model":"m","messages":[)" + std::string(c.message) + "]}");
    const auto made = ask.made();
    ASSERT_FALSE(made) << c.message;
    EXPECT_EQ(made.error().code, ErrorCode::invalid_request);
    EXPECT_EQ(made.error().param, c.param);
  }
}

size_t count(std::string_view text, std::string_view word) {
  size_t n = 0;
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) ++n;
  return n;
}

// A long instruction, many tools with schemas of their own, turns of parallel calls.
TEST(GeminiRequest, ACodingAgentsConversation) {
  std::string house = R"({"model":"gemini-3-pro","stream":true,"tools":[)";
  for (int i = 0; i < 25; ++i) {
    house += (i == 0 ? R"({"type":"function","function":{"name":"tool_)"
                     : R"(,{"type":"function","function":{"name":"tool_)") +
             std::to_string(i) +
             R"(","description":"does it","parameters":{"$schema":"x","type":"object",)"
             R"("properties":{"a":{"type":["string","null"]},"b":{"type":"array","items":)"
             R"({"$ref":"#/$defs/i"}}},"required":["a"],"$defs":{"i":{"type":"integer"}},)"
             R"("additionalProperties":false}}})";
  }
  house += R"(],"messages":[{"role":"system","content":")";
  for (int i = 0; i < 1000; ++i) house += R"(You never \"guess\".\n\tLine \u00e9 of many. )";
  house += R"("},{"role":"user","content":"go"})";
  for (int turn = 0; turn < 20; ++turn) {
    const std::string t = std::to_string(turn);
    house += R"(,{"role":"assistant","content":null,"tool_calls":[)";
    for (int c = 0; c < 3; ++c) {
      house += (c == 0 ? R"({"id":"c)" : R"(,{"id":"c)") + t + "_" + std::to_string(c) +
               R"(","type":"function","function":{"name":"tool_)" + std::to_string(c) +
               R"(","arguments":"{\"a\":\"x\\ny\"}"}})";
    }
    house += "]}";
    for (int c = 2; c >= 0; --c) {
      house += R"(,{"role":"tool","tool_call_id":"c)" + t + "_" + std::to_string(c) +
               R"(","content":"line\n)" + std::to_string(c) + R"("})";
    }
  }
  house += "]}";
  const json::PaddedBytes body(request_of(house));
  json::Reader reader(body.view());
  reader.skip();
  ASSERT_TRUE(reader.finish()) << reader.error_reason();
  EXPECT_EQ(count(body.view(), R"("description":"does it")"), 25u);
  EXPECT_EQ(count(body.view(), R"("items":{"type":"integer"})"), 25u);
  EXPECT_EQ(count(body.view(), "$schema"), 0u);
  EXPECT_EQ(count(body.view(), R"("functionCall":)"), 60u);
  EXPECT_EQ(count(body.view(), R"("args":{"a":"x\ny"})"), 60u);
  EXPECT_EQ(count(body.view(), R"("functionResponse":)"), 60u);
  EXPECT_EQ(count(body.view(), "skip_thought_signature_validator"), 20u);
  EXPECT_EQ(count(body.view(), R"("role":"model")"), 20u);
  EXPECT_EQ(count(body.view(), R"("role":"user")"), 21u);
  EXPECT_EQ(count(body.view(), R"("response":{"result":"line\n0"},"id":"c19_0"})"), 1u);
}

TEST(GeminiRequest, ThinkingByModel) {
  const struct {
    const char *model, *said, *config;
  } cases[] = {
      {"gemini-2.5-pro", R"("reasoning_effort":"none")", R"({"thinkingBudget":128})"},
      {"gemini-2.5-flash", R"("reasoning_effort":"medium")",
       R"({"thinkingBudget":8192,"includeThoughts":true})"},
      {"gemini-2.5-flash", R"("enable_thinking":false)", R"({"thinkingBudget":0})"},
      {"gemini-2.5-flash", R"("enable_thinking":true)", R"({"includeThoughts":true})"},
      {"gemini-3-flash", R"("reasoning_effort":"none")", R"({"thinkingLevel":"minimal"})"},
      {"gemini-3.7-flash", R"("reasoning_effort":"minimal")",
       R"({"thinkingLevel":"low","includeThoughts":true})"},
      {"gemini-3-flash", R"("reasoning_effort":"xhigh","enable_thinking":false)",
       R"({"thinkingLevel":"high","includeThoughts":true})"},
      {"gemini-3-flash",
       R"("extra_body":{"google":{"thinking_config":{"thinking_level":"low","include_thoughts":true}}})",
       R"({"thinkingLevel":"low","includeThoughts":true})"},
  };
  for (const auto& c : cases) {
    const std::string body = request_of(R"({"model":")" + std::string(c.model) + R"(",)" + c.said +
                                        R"(,"messages":[{"role":"user","content":"x"}]})");
    EXPECT_NE(body.find(R"("generationConfig":{"thinkingConfig":)" + std::string(c.config) + "}"),
              std::string::npos)
        << c.model << " " << c.said << "\n"
        << body;
  }
}

TEST(GeminiRequest, OtherApisAreRefused) {
  Ask ask(R"({"model":"m","messages":[{"role":"user","content":"x"}]})");
  ask.view.api = llm::Api::embeddings;
  EXPECT_EQ(ask.made().error().code, ErrorCode::invalid_request);
}

TEST(GeminiSchema, WhatIsLeftOfASchema) {
  const struct {
    const char *schema, *expected;
  } cases[] = {
      {R"({"type":"object"})", ""},
      {R"({})", ""},
      {R"({"type":"array"})", R"({"type":"array","items":{"type":"string"}})"},
      {R"({"type":["string","null"]})", R"({"nullable":true,"type":"string"})"},
      {R"({"type":["string","integer"]})", R"({"anyOf":[{"type":"string"},{"type":"integer"}]})"},
      {R"({"const":"a"})", R"({"type":"string","enum":["a"]})"},
      {R"({"type":"integer","enum":[1,2]})", R"({"type":"integer"})"},
      {R"({"anyOf":[{"type":"string"},{"type":"null"}]})",
       R"({"nullable":true,"anyOf":[{"type":"string"}]})"},
      {R"({"allOf":[{"properties":{"a":{"type":"string"}}},{"required":["a"]}]})",
       R"({"type":"object","properties":{"a":{"type":"string"}},"required":["a"]})"},
      {R"({"$ref":"#/definitions/x","definitions":{"x":{"type":"string","pattern":"^a$"}}})",
       R"({"pattern":"^a$","type":"string"})"},
      {R"({"properties":{"me":{"$ref":"#"}}})",
       R"({"type":"object","properties":{"me":{"type":"object","properties":{"me":{"type":"object"}}}}})"},
      {R"({"type":"array","items":[{"type":"string"},{"type":"number"}]})",
       R"({"type":"array","items":{"anyOf":[{"type":"string"},{"type":"number"}]}})"},
      {R"({"properties":{"a\"b":true}})",
       R"({"type":"object","properties":{"a\"b":{"type":"object"}}})"},
  };
  for (const auto& c : cases) {
    const json::PaddedBytes schema{std::string_view(c.schema)};
    const auto made = openapi_schema(schema.view(), "p");
    ASSERT_TRUE(made) << c.schema;
    EXPECT_EQ(*made, c.expected) << c.schema;
  }
}

TEST(GeminiSchema, ReferencesThatBranchAreBounded) {
  std::string text = R"({"$ref":"#/$defs/d0","$defs":{)";
  for (int i = 0; i < 40; ++i) {
    const std::string next = R"({"$ref":"#/$defs/d)" + std::to_string(i + 1) + "\"}";
    text += (i == 0 ? "\"d" : ",\"d") + std::to_string(i) + R"(":{"properties":{"a":)" + next +
            R"(,"b":)" + next + "}}";
  }
  const json::PaddedBytes schema(text + "}}");
  const auto made = openapi_schema(schema.view(), "tools[0].function.parameters");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().param, "tools[0].function.parameters");
}

// Feeds the stream in pieces of `size` bytes and tells what came out, one event per line.
std::string translated(std::string_view sse, size_t size, int64_t n = 1) {
  llm::RequestView view;
  view.n = n;
  testing::FakeClock clock;
  const auto translator = GeminiAdapter(clock).translator(view);
  http::SseParser parser(1 << 20);
  HouseEvents events;
  std::string out;
  for (size_t at = 0; at < sse.size(); at += size) {
    const json::PaddedBytes piece(sse.substr(at, size));
    parser.feed(piece.view());
    http::SseEvent event;
    while (*parser.next(event)) {
      events.clear();
      const auto verdict = translator->feed(event, events);
      for (size_t i = 0; i < events.size(); ++i) out.append(events[i]).append("\n");
      if (verdict == StreamTranslator::Verdict::done) out += "done\n";
      if (verdict == StreamTranslator::Verdict::malformed) out += "malformed\n";
    }
  }
  return out;
}

TEST(GeminiStream, GoldensAtAnySplit) {
  for (const path& input : files_ending(kTestdata / "stream", ".sse")) {
    const std::string sse = read_file(input);
    const int64_t n = input.stem() == "two_candidates" ? 2 : 1;
    const std::string whole = translated(sse, sse.size(), n);
    expect_golden(golden_beside(input, ".sse", ".house.txt"), whole);
    for (const size_t size : {1, 2, 3, 7, 64, 500}) EXPECT_EQ(translated(sse, size, n), whole);
  }
}

// Events alike are poured, those with one space more are read: both must say the same.
TEST(GeminiStream, TheMouldChangesNothingButTheSpeed) {
  const auto event = [](std::string_view part, std::string_view usage, std::string_view space) {
    return R"(data: {"candidates":[{"content":{"parts":[{)" + std::string(part) + "}]" +
           std::string(space) + R"(,"role":"model"},"index":0}],"usageMetadata":{)" +
           std::string(usage) + R"(},"modelVersion":"m","responseId":"r"})" + "\n\n";
  };
  const std::string_view parts[] = {R"("text":"a")",
                                    R"("text":"b")",
                                    R"("text":"\"q\" \ud83d")",
                                    "\"text\":\"\xc3\xa9\"",
                                    R"("text":"")",
                                    R"("text":"c","thought":true)",
                                    R"("text":"d","thought":true)",
                                    R"("text":"e","thoughtSignature":"s")",
                                    R"("text":"f"},{"text":"g")",
                                    R"("functionCall":{"name":"f"})",
                                    R"("text":"h")",
                                    R"("text":"i")",
                                    "\"text\":\"\xff\""};
  const std::string_view usages[] = {R"("promptTokenCount":8,"candidatesTokenCount":2)",
                                     R"("promptTokenCount":8,"x":[{"y":"}"}])"};
  std::string alike;
  std::string spaced;
  bool space = false;
  for (const std::string_view part : parts) {
    for (const std::string_view usage : usages) {
      alike += event(part, usage, "");
      spaced += event(part, usage, (space = !space) ? " " : "");
    }
  }
  EXPECT_EQ(translated(alike, alike.size()), translated(spaced, spaced.size()));
  EXPECT_EQ(count(translated(alike, alike.size()), "malformed"), 2u);
}

TEST(GeminiStream, WhatIsNoAnswerIsMalformed) {
  EXPECT_EQ(translated("data: {\"candidates\":[\n\n", 100), "malformed\n");
  EXPECT_EQ(translated("data: 7\n\n", 100), "malformed\n");
  EXPECT_EQ(translated("data: \n\n: ping\n\ndata: {}\n\n", 100), "");
}

TEST(GeminiAnswer, Goldens) {
  testing::FakeClock clock;
  const GeminiAdapter adapter(clock);
  for (const path& input : files_ending(kTestdata / "answer", ".gemini.json")) {
    auto made = adapter.house_answer({}, json::PaddedBytes(read_file(input)));
    ASSERT_TRUE(made) << input;
    expect_golden(golden_beside(input, ".gemini.json", ".house.json"),
                  std::string(made->view()) + "\n");
    json::Reader reader(made->view());
    reader.skip();
    EXPECT_TRUE(reader.finish()) << input;
  }
}

TEST(GeminiAnswer, NeitherAnswerNorErrorFails) {
  testing::FakeClock clock;
  const GeminiAdapter adapter(clock);
  for (const char* body : {"{}", "[]", "{", R"({"candidates":[]})"}) {
    EXPECT_FALSE(adapter.house_answer({}, json::PaddedBytes(std::string_view(body)))) << body;
  }
}

}  // namespace
}  // namespace deeppool::provider::gemini
