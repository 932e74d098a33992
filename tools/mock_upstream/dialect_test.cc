// What each dialect refuses, and how: rows of a request and the words of the answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/codec/head_parser.h"
#include "mock_upstream/ask.h"

namespace deeppool::mock {
namespace {

using testing::HasSubstr;

constexpr const char* kAnthropic =
    "POST /v1/messages HTTP/1.1\r\nx-api-key: k\r\nanthropic-version: 2023-06-01\r\n\r\n";
constexpr const char* kAnthropicNew =
    "POST /v1/messages HTTP/1.1\r\nauthorization: Bearer k\r\nanthropic-version: "
    "2026-10-21\r\n\r\n";
constexpr const char* kGemini =
    "POST /v1beta/models/mock:generateContent HTTP/1.1\r\nx-goog-api-key: k\r\n\r\n";
constexpr const char* kGemini3 =
    "POST /v1beta/models/gemini-3-pro:generateContent HTTP/1.1\r\nx-goog-api-key: k\r\n\r\n";

Result<Ask> ask(std::string_view head_bytes, std::string_view body) {
  http::RequestHead head;
  std::string bytes(head_bytes);
  bytes.insert(bytes.find('\n') + 1, "Host: m\r\n");
  EXPECT_TRUE(http::parse_request_head(bytes, head).ok());
  return read_ask(head, body);
}

struct Row {
  const char* head;
  std::string body;
  const char* refused;  // empty: accepted
};

void expect(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const auto got = ask(row.head, row.body);
    if (*row.refused == 0) {
      EXPECT_TRUE(got.ok()) << row.body << "\n" << (got.ok() ? "" : got.error().message);
    } else if (got.ok()) {
      ADD_FAILURE() << "accepted: " << row.body;
    } else {
      EXPECT_THAT(got.error().message, HasSubstr(row.refused)) << row.body;
    }
  }
}

std::string messages(const std::string& list, const std::string& more = "") {
  return R"({"model":"mock","max_tokens":9,"messages":[)" + list + "]" + more + "}";
}

constexpr const char* kUse =
    R"({"role":"user","content":"q"},{"role":"assistant","content":[{"type":"tool_use","id":"t1",)"
    R"("name":"f","input":{}}]})";
const std::string kResult = R"({"type":"tool_result","tool_use_id":"t1","content":"r"})";

TEST(AnthropicDialect, RefusesWhatAnthropicRefuses) {
  const std::string hi = R"({"role":"user","content":"hi"})";
  const std::string use = kUse;
  expect({
      {kAnthropic, messages(hi), ""},
      {kAnthropicNew, messages(hi), ""},
      {"POST /v1/messages HTTP/1.1\r\nanthropic-version: 2023-06-01\r\n\r\n", messages(hi),
       "x-api-key header is required"},
      {"POST /v1/messages HTTP/1.1\r\nx-api-key: k\r\n\r\n", messages(hi), "anthropic-version"},
      {kAnthropic, R"({"model":"mock","messages":[{"role":"user","content":"a"}]})",
       "max_tokens: Field required"},
      {kAnthropic, messages(hi, R"(,"logit_bias":{})"), "logit_bias: Extra inputs"},
      {kAnthropic, messages(hi, R"(,"temperature":0.5)"), ""},
      {kAnthropic, messages(hi, R"(,"temperature":1.5)"), "range: 0..1"},
      {kAnthropicNew, messages(hi, R"(,"temperature":0.5)"), "temperature: Extra inputs"},
      {kAnthropic, messages(hi + "," + hi), "must alternate"},
      {kAnthropic, messages(R"({"role":"system","content":"a"})"), "'user' or 'assistant'"},
      {kAnthropicNew, messages(hi + R"(,{"role":"system","content":"a"})"), ""},
      {kAnthropic, messages(R"({"role":"user","content":""})"), "non-empty content"},
      {kAnthropic, messages(R"({"role":"user","content":[{"type":"text","text":""}]})"),
       "text content blocks must be non-empty"},
      {kAnthropic, messages(hi + R"(,{"role":"assistant","content":"I say "})"), "whitespace"},
      {kAnthropic, messages(use), "without `tool_result` blocks"},
      {kAnthropic, messages(use + "," + hi), "without `tool_result` blocks"},
      {kAnthropic, messages(use + R"(,{"role":"user","content":[)" + kResult + "]}"), ""},
      {kAnthropic,
       messages(use + R"(,{"role":"user","content":[{"type":"text","text":"x"},)" + kResult + "]}"),
       "without `tool_result` blocks"},
      {kAnthropic, messages(R"({"role":"user","content":[)" + kResult + "]}"),
       "unexpected `tool_use_id`"},
      {kAnthropic, messages(hi, R"(,"tools":[{"name":"a b","input_schema":{"type":"object"}}])"),
       "tools.0.custom.name"},
      {kAnthropic, messages(hi, R"(,"tools":[{"name":"a"}])"), "input_schema: Field required"},
      {kAnthropic, messages(hi, R"(,"tool_choice":{"type":"any"})"), "while providing tools"},
      {kAnthropic, messages(hi, R"(,"thinking":{"type":"enabled","budget_tokens":5})"), "1024"},
      {kAnthropic, messages(hi, R"(,"thinking":{"type":"enabled","budget_tokens":1024})"),
       "must be greater than `thinking.budget_tokens`"},
      {kAnthropic,
       messages(use + R"(,{"role":"user","content":[)" + kResult + "]}",
                R"(,"thinking":{"type":"adaptive"})"),
       "must start with a thinking block"},
      {kAnthropic,
       messages(R"({"role":"user","content":[{"type":"image","source":{"type":"base64",)"
                R"("media_type":"image/bmp","data":"AA"}}]})"),
       "image.source"},
  });
}

TEST(AnthropicDialect, KnowsItsOwnThoughts) {
  const std::string signature = signature_of("so it is");
  for (const std::string thought : {"so it is", "so it was"}) {
    const std::string body =
        messages(R"({"role":"user","content":"q"},{"role":"assistant","content":[)"
                 R"({"type":"thinking","thinking":")" +
                 thought + R"(","signature":")" + signature +
                 R"("},{"type":"text","text":"a"}]},{"role":"user","content":"b"})");
    expect({{kAnthropic, body, thought == "so it is" ? "" : "Invalid `signature`"}});
  }
}

TEST(AnthropicDialect, SaysWhatIsToBeGoneOnWith) {
  const auto got = ask(kAnthropic, messages(R"({"role":"user","content":"hi"},)"
                                            R"({"role":"assistant","content":"w1 w2"})"));
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->answered, "w1 w2");
}

std::string contents(const std::string& list, const std::string& more = "") {
  return R"({"contents":[)" + list + "]" + more + "}";
}
std::string parameters(const std::string& schema) {
  return R"(,"tools":[{"functionDeclarations":[{"name":"f","parameters":)" + schema + "}]}]";
}

TEST(GeminiDialect, RefusesWhatGeminiRefuses) {
  const std::string hi = R"({"role":"user","parts":[{"text":"hi"}]})";
  const std::string call =
      hi + R"(,{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]})";
  const std::string answer =
      R"(,{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"r":1}}}]})";
  const std::string signed_call =
      hi + R"(,{"role":"model","parts":[{"functionCall":{"name":"f","args":{}},)"
           R"("thoughtSignature":")";
  expect({
      {kGemini, contents(hi), ""},
      {"POST /v1beta/models/mock:generateContent HTTP/1.1\r\n\r\n", contents(hi), "unregistered"},
      {"POST /v1beta/models/mock:streamGenerateContent HTTP/1.1\r\nx-goog-api-key: k\r\n\r\n",
       contents(hi), "alt=sse"},
      {kGemini, "{}", "contents is not specified"},
      {kGemini, contents(R"({"role":"system","parts":[{"text":"a"}]})"), "valid role"},
      {kGemini, contents(R"({"role":"user","parts":[]})"), "must not be empty"},
      {kGemini, contents(hi, R"(,"stream":true)"), "Unknown name \"stream\""},
      {kGemini, contents(hi, R"(,"generationConfig":{"logit_bias":1})"), "Unknown name"},
      {kGemini, contents(hi, parameters(R"({"type":"object","additionalProperties":false})")),
       "Unknown name \"additionalProperties\""},
      {kGemini, contents(hi, parameters(R"({"type":"object","properties":{"a":{"$ref":"x"}}})")),
       "properties[a].value"},
      {kGemini, contents(hi, parameters(R"({"type":["string","null"]})")), "not repeating"},
      {kGemini, contents(hi, parameters(R"({"type":"object","properties":{}})")), ""},
      {kGemini, contents(call), "followed by a function response turn"},
      {kGemini, contents(call + "," + hi), "followed by a function response turn"},
      {kGemini, contents(hi + answer), "immediately after a function call turn"},
      {kGemini, contents(call + answer), ""},
      {kGemini3, contents(call + answer), "missing a thought_signature"},
      {kGemini3, contents(call + answer + "," + hi), ""},
      {kGemini3, contents(signed_call + signature_of("f") + "\"}]}" + answer), ""},
      {kGemini3, contents(signed_call + "skip_thought_signature_validator\"}]}" + answer), ""},
      {kGemini3, contents(signed_call + "bm90IG1pbmU=\"}]}" + answer), "not valid"},
  });
}

TEST(Dialects, KnowTheirPathsAndWordTheirErrors) {
  const auto got =
      ask("POST /v1beta/models/mock-cut%3Aafter=1:streamGenerateContent?alt=sse HTTP/1.1\r\n"
          "x-goog-api-key: k\r\n\r\n",
          contents(R"({"parts":[{"text":"a b"}]})"));
  ASSERT_TRUE(got.ok()) << got.error().message;
  EXPECT_EQ(got->model, "mock-cut:after=1");
  EXPECT_EQ(got->script.behaviour, "cut");
  EXPECT_TRUE(got->stream);
  EXPECT_EQ(got->prompt_tokens, 2);
  EXPECT_THAT(error_json(Dialect::anthropic, 529, {"m", "", "", ""}),
              HasSubstr(R"("type":"overloaded_error")"));
  EXPECT_THAT(error_json(Dialect::gemini, 429, {"m", "", "", ""}),
              HasSubstr(R"("status":"RESOURCE_EXHAUSTED")"));
}

}  // namespace
}  // namespace deeppool::mock
