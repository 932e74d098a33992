// Counts what the hot path takes from the heap: nothing per event, once a stream is under way.
#include "llm/anthropic/encoder.h"
#include "llm/openai/chunk.h"
#include "llm/openai/request.h"
#include "llm/responses/encoder.h"
#include "llm/tokenizer/test_tokenizers.h"
#include "testing/allocations.h"

namespace deeppool::llm {
namespace {

using testing::Allocations;

TEST_F(Allocations, NonePerEvent) {
  const json::PaddedBytes event(
      R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"upstream-model",)"
      R"("choices":[{"index":0,"delta":{"content":" token"},"finish_reason":null}],"usage":null})");
  ChunkRewriter stream({Api::chat_completions, "public-model-of-some-length", false,
                        test_tokenizers().for_model("gpt-4o")});
  std::string out;
  const auto feed = [&](int times) {
    for (int i = 0; i < times; ++i) {
      out.clear();
      ASSERT_EQ(stream.feed(event.view(), out), ChunkRewriter::Verdict::relay);
    }
  };
  feed(400);
  const size_t before = count();
  feed(100);
  EXPECT_EQ(count() - before, 0u);
}

// `more`: what a hundred pieces of text may cost; Responses keeps the text, which grows in doubles.
void expect_few(AnswerEncoder& encoder, size_t more) {
  const json::PaddedBytes chunk(
      R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"public-model",)"
      R"("choices":[{"index":0,"delta":{"content":" token"},"finish_reason":null}]})");
  std::string out;
  out.reserve(4096);
  const auto feed = [&](int times) {
    for (int i = 0; i < times; ++i) {
      out.clear();
      encoder.chunk(chunk.view(), out);
      ASSERT_NE(out.find(" token"), std::string::npos);
    }
  };
  feed(400);
  const size_t before = Allocations::count();
  feed(100);
  EXPECT_LE(Allocations::count() - before, more);
}

TEST_F(Allocations, NonePerPieceOfTextInOtherProtocols) {
  anthropic::MessagesEncoder messages("id", 0);
  expect_few(messages, 0);
  responses::ResponsesEncoder items("id", {});
  expect_few(items, 1);
}

TEST_F(Allocations, AtMostTheModelNamePerRequest) {
  const json::PaddedBytes body(R"({"model":"a-public-model-name-of-some-length","stream":true,)"
                               R"("messages":[{"role":"user","content":"hello"}]})");
  const size_t before = count();
  const auto view = parse_request(Api::chat_completions, body);
  const SplicedBody spliced = splice(*view, body.view(), {.model = "upstream"});
  EXPECT_LE(count() - before, 1u);
  EXPECT_GT(before, 0u);  // the count works
}

}  // namespace
}  // namespace deeppool::llm
