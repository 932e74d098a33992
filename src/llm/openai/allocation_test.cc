// Counts what the hot path takes from the heap: nothing per event, once a stream is under way.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "llm/anthropic/encoder.h"
#include "llm/openai/chunk.h"
#include "llm/openai/request.h"
#include "llm/responses/encoder.h"
#include "llm/tokenizer/test_tokenizers.h"

namespace {
thread_local size_t allocations = 0;
}  // namespace

void* operator new(size_t size) {
  ++allocations;
  if (void* p = std::malloc(size == 0 ? 1 : size)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, size_t) noexcept {
  std::free(p);
}

namespace deeppool::llm {
namespace {

TEST(Allocations, NonePerEvent) {
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
  const size_t before = allocations;
  feed(100);
  EXPECT_EQ(allocations - before, 0u);
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
  const size_t before = allocations;
  feed(100);
  EXPECT_LE(allocations - before, more);
}

TEST(Allocations, NonePerPieceOfTextInOtherProtocols) {
  anthropic::MessagesEncoder messages("id", 0);
  expect_few(messages, 0);
  responses::ResponsesEncoder items("id", {});
  expect_few(items, 1);
}

TEST(Allocations, AtMostTheModelNamePerRequest) {
  const json::PaddedBytes body(R"({"model":"a-public-model-name-of-some-length","stream":true,)"
                               R"("messages":[{"role":"user","content":"hello"}]})");
  const size_t before = allocations;
  const auto view = parse_request(Api::chat_completions, body);
  const SplicedBody spliced = splice(*view, body.view(), {.model = "upstream"});
  EXPECT_LE(allocations - before, 1u);
  EXPECT_GT(before, 0u);  // the count works
}

}  // namespace
}  // namespace deeppool::llm
