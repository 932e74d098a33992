#include "gateway/cross_check.h"

#include <gtest/gtest.h>

#include "gateway/limits.h"

namespace deeppool::gateway {
namespace {

llm::RequestView asked(int64_t text_bytes) {
  llm::RequestView view;
  view.features.text_bytes = text_bytes;
  return view;
}

struct Streamed {
  const char* what;
  OwnTally ours;
  llm::Usage theirs;
  bool odd;
};

TEST(CrossCheck, StreamsAreHeldAgainstTheirTally) {
  const Streamed cases[] = {
      {"as we count", {500, 0}, {.completion_tokens = 500}, false},
      {"another tokenizer", {500, 0}, {.completion_tokens = 1500}, false},
      {"far more", {500, 0}, {.completion_tokens = 1601}, true},
      {"far fewer", {500, 0}, {.completion_tokens = 100}, true},
      {"nothing said of a long text", {500, 0}, {}, true},
      {"a short text proves nothing", {5, 0}, {}, false},
      {"reasoning that was not shown",
       {100, 0},
       {.completion_tokens = 20'100, .reasoning_tokens = 20'000},
       false},
      {"reasoning shown, but not told apart", {100, 10'000}, {.completion_tokens = 10'100}, false},
      {"sound", {}, {.completion_tokens = 5000, .audio_output_tokens = 5000}, false},
      {"our own estimate",
       {500, 0},
       {.completion_tokens = 9999, .source = llm::Usage::Source::estimated},
       false},
  };
  for (const Streamed& c : cases) {
    EXPECT_EQ(deviates(asked(40), c.theirs, c.ours), c.odd) << c.what;
  }
}

TEST(CrossCheck, APromptHasNotMoreTokensThanBytes) {
  const auto odd = [](llm::RequestView view, int64_t prompt) {
    return deviates(view, {.prompt_tokens = prompt}, size_t{100});
  };
  EXPECT_FALSE(odd(asked(5000), 5000 + kHiddenPromptTokens));
  EXPECT_TRUE(odd(asked(5000), 5001 + kHiddenPromptTokens));
  llm::RequestView pictured = asked(5000);
  pictured.features.image_count = 1;
  EXPECT_FALSE(odd(pictured, 100'000));
  llm::RequestView with_document = asked(5000);
  with_document.features.document_count = 1;
  EXPECT_FALSE(odd(with_document, 200'000));
}

TEST(CrossCheck, AWholeAnswerHasNotMoreTokensThanBytes) {
  EXPECT_FALSE(deviates(asked(5), {.completion_tokens = 700}, size_t{700}));
  EXPECT_TRUE(deviates(asked(5), {.completion_tokens = 701}, size_t{700}));
  EXPECT_FALSE(
      deviates(asked(5), {.completion_tokens = 701, .reasoning_tokens = 500}, size_t{700}));
}

}  // namespace
}  // namespace deeppool::gateway
