#include "provider/openai/openai_adapter.h"

#include <gtest/gtest.h>

namespace deeppool::provider::openai {
namespace {

TEST(OutputLimitField, OnlyOpenAisOwnChatsTakeTheNewName) {
  Endpoint endpoint;
  endpoint.provider_type = "openai";
  EXPECT_EQ(output_limit_field(endpoint, llm::Api::chat_completions), "max_completion_tokens");
  EXPECT_EQ(output_limit_field(endpoint, llm::Api::completions), "max_tokens");
  endpoint.provider_type = "custom";
  EXPECT_EQ(output_limit_field(endpoint, llm::Api::chat_completions), "max_tokens");
}

}  // namespace
}  // namespace deeppool::provider::openai
