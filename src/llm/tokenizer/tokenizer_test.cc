#include "llm/tokenizer/tokenizer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

#include "llm/limits.h"
#include "llm/tokenizer/test_tokenizers.h"
#include "llm/tokenizer/text_tally.h"

namespace deeppool::llm {
namespace {

const Tokenizer& cl100k() {
  return test_tokenizers().for_model("gpt-4");
}
const Tokenizer& o200k() {
  return test_tokenizers().for_model("gpt-4o");
}

struct Golden {
  std::string text;
  int64_t cl100k;
  int64_t o200k;
};

const std::vector<Golden>& goldens() {
  static const std::vector<Golden> all = [] {
    std::vector<Golden> read;
    std::ifstream in(DEEPPOOL_SOURCE_DIR "/src/llm/tokenizer/testdata/goldens.txt");
    std::string line;
    while (std::getline(in, line)) {
      const size_t first = line.find('\t');
      const size_t second = line.find('\t', first + 1);
      const boost::json::value text = boost::json::parse(line.substr(0, first));
      read.push_back({std::string(text.as_string()), std::stoll(line.substr(first + 1)),
                      std::stoll(line.substr(second + 1))});
    }
    return read;
  }();
  return all;
}

TEST(Tokenizer, CountsAsTiktokenDoes) {
  ASSERT_GE(goldens().size(), 5000u);
  for (const Golden& golden : goldens()) {
    EXPECT_EQ(cl100k().count(golden.text), golden.cl100k) << "cl100k: " << golden.text;
    EXPECT_EQ(o200k().count(golden.text), golden.o200k) << "o200k: " << golden.text;
  }
}

TEST(Tokenizer, NothingAndBrokenBytes) {
  EXPECT_EQ(o200k().count(""), 0);
  EXPECT_GE(o200k().count("\xff\xfe\x80"), 1);
  EXPECT_GE(o200k().count("caf\xc3"), 1);
}

TEST(Tokenizers, ChoosesByFamily) {
  const Tokenizers& all = test_tokenizers();
  for (const std::string_view old :
       {"gpt-4-turbo", "gpt-3.5-turbo", "openai/gpt-4", "GPT-4", "text-embedding-3-small"}) {
    EXPECT_EQ(&all.for_model(old), &cl100k()) << old;
  }
  for (const std::string_view recent :
       {"gpt-4o-mini", "gpt-4.1", "gpt-5", "o3", "deepseek-chat", "", "qwen/"}) {
    EXPECT_EQ(&all.for_model(recent), &o200k()) << recent;
  }
}

TEST(Tokenizers, ABadFileIsNamed) {
  const auto path = std::filesystem::temp_directory_path() / "deeppool_tokenizer_test.bin";
  for (const size_t size : {size_t{0}, size_t{10}, size_t{4096}}) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << std::string(size, 'x');
    const auto loaded = Tokenizer::load(path.string());
    ASSERT_FALSE(loaded.ok());
    EXPECT_NE(loaded.error().detail.find(path.string()), std::string::npos);
  }
  std::filesystem::remove(path);
  EXPECT_FALSE(Tokenizer::load(path.string()).ok());
}

// A quadratic merge would take minutes here, and the test's time limit would end it.
TEST(Tokenizer, LongRunsTakeLinearTime) {
  for (const std::string_view unit :
       {"a", " ", "!", "文", "\n", "A", "é", "1", "'s", "aB", "\xcc\x81"}) {
    std::string text;
    while (text.size() < 60'000) text += unit;
    EXPECT_GT(o200k().count(text), 0);
    EXPECT_GT(cl100k().count(text), 0);
  }
}

// Whatever the pieces, a tally counts like the whole; its memory stays bounded meanwhile.
RC_GTEST_PROP(TextTally, AnySplitCountsTheSame, ()) {
  std::string text;
  const int parts = *rc::gen::inRange(1, 400);
  for (int i = 0; i < parts; ++i) {
    text += goldens()[*rc::gen::inRange<size_t>(0, goldens().size())].text;
  }
  TextTally tally(o200k());
  for (size_t at = 0; at < text.size();) {
    const size_t size = *rc::gen::inRange<size_t>(1, 300);
    tally.append(std::string_view(text).substr(at, size));
    at += size;
  }
  RC_ASSERT(tally.tokens() == o200k().count(text));
  RC_ASSERT(tally.bytes() == static_cast<int64_t>(text.size()));
}

TEST(TextTally, DecodesJson) {
  TextTally tally(o200k());
  tally.append_json(R"(a\nb \u4f60\ud83d\ude00)");
  EXPECT_EQ(tally.tokens(), o200k().count("a\nb 你😀"));
  EXPECT_GT(tally.estimated_tokens(), 0);
}

TEST(TextTally, AnEndlessWordIsBounded) {
  TextTally tally(o200k());
  for (int i = 0; i < 100; ++i) tally.append(std::string(1000, 'x'));
  EXPECT_GT(tally.tokens(), 0);
  EXPECT_EQ(tally.bytes(), 100'000);
}

}  // namespace
}  // namespace deeppool::llm
