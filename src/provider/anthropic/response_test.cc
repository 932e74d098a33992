#include "provider/anthropic/response.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "llm/openai/response.h"
#include "testing/golden.h"

namespace deeppool::provider::anthropic {
namespace {

const std::filesystem::path kFolder =
    std::filesystem::path(DEEPPOOL_SOURCE_DIR) / "src/provider/testdata/anthropic/response";

TEST(AnthropicResponse, Goldens) {
  for (const auto& input : testing::files_ending(kFolder, ".anthropic.json")) {
    auto made = make_house_answer(json::PaddedBytes(testing::read_file(input)), 1795430000);
    ASSERT_TRUE(made) << input;
    auto golden = input;
    testing::expect_golden(golden.replace_extension().replace_extension(".house.json"),
                           std::string(made->view()) + "\n");
    const auto rewritten = llm::rewrite_response(llm::Api::chat_completions, *made, "public");
    ASSERT_TRUE(rewritten) << input;
    EXPECT_TRUE(boost::json::parse(rewritten->body.to_string()).is_object());
    ASSERT_TRUE(rewritten->usage) << input;
    EXPECT_EQ(rewritten->usage->prompt_tokens, 20) << input;
    EXPECT_EQ(rewritten->usage->cached_tokens, 7) << input;
    EXPECT_EQ(rewritten->usage->cache_write_tokens, 3) << input;
  }
}

TEST(AnthropicResponse, ErrorsPassAsTheyAre) {
  const std::string error =
      R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})";
  const auto made = make_house_answer(json::PaddedBytes(error), 0);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->view(), error);
  EXPECT_TRUE(llm::find_error(made->view()));
}

TEST(AnthropicResponse, AnythingElseIsRefused) {
  for (const char* body : {"", "[]", "<html>", "{}", R"({"choices":[]})", R"({"content":"x"})",
                           R"({"type":"message","content":[])", "{\"content\":[\"\xff\"]}"}) {
    const auto made = make_house_answer(json::PaddedBytes(body), 0);
    ASSERT_FALSE(made) << body;
    EXPECT_EQ(made.error().code, ErrorCode::upstream_failed);
  }
}

}  // namespace
}  // namespace deeppool::provider::anthropic
