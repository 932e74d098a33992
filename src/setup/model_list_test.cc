#include "setup/model_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deeppool::setup {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ModelList, ReadsEveryVendorsShape) {
  struct Row {
    const char* json;
    const char* id;
    int64_t context;
    int64_t max_output;
  };
  const Row rows[] = {
      {R"({"object":"list","data":[{"id":"gpt-9","object":"model"}]})", "gpt-9", 0, 0},
      {R"({"data":[{"id":"q","max_model_len":32768}]})", "q", 32768, 0},
      {R"({"data":[{"type":"model","id":"claude-x","display_name":"X"}],"has_more":false})",
       "claude-x", 0, 0},
      {R"({"models":[{"name":"models/e","supportedGenerationMethods":["embedContent"]},
                     {"name":"models/g","inputTokenLimit":7,"outputTokenLimit":3}]})",
       "g", 7, 3},
  };
  for (const Row& row : rows) {
    const auto models = read_model_list(row.json);
    ASSERT_TRUE(models.ok()) << row.json;
    ASSERT_EQ(models->size(), 1u) << row.json;
    EXPECT_EQ((*models)[0].id, row.id);
    EXPECT_EQ((*models)[0].context, row.context);
    EXPECT_EQ((*models)[0].max_output, row.max_output);
  }
}

TEST(ModelList, RefusesWhatIsNone) {
  for (const char* json : {"", "[]", "{}", R"({"data":{}})", R"({"error":{}})", "{\"data\":"}) {
    EXPECT_FALSE(read_model_list(json).ok()) << json;
  }
}

TEST(ModelList, AsksWithTheVendorsOwnKeyField) {
  provider::Endpoint endpoint;
  endpoint.host = "h";
  endpoint.port = 443;
  endpoint.tls = true;
  endpoint.path_prefix = "/v1";
  endpoint.api_key = "k";
  endpoint.provider_type = "openai";
  EXPECT_THAT(model_list_head(endpoint), HasSubstr("GET /v1/models HTTP/1.1\r\nHost: h\r\n"));
  EXPECT_THAT(model_list_head(endpoint), HasSubstr("Authorization: Bearer k\r\n"));
  endpoint.provider_type = "anthropic";
  EXPECT_THAT(model_list_head(endpoint), HasSubstr("x-api-key: k\r\n"));
  EXPECT_THAT(model_list_head(endpoint), HasSubstr("anthropic-version: "));
  endpoint.provider_type = "gemini";
  EXPECT_THAT(model_list_head(endpoint), HasSubstr("x-goog-api-key: k\r\n"));
  endpoint.api_key = "";
  EXPECT_THAT(model_list_head(endpoint), Not(HasSubstr("key")));
}

}  // namespace
}  // namespace deeppool::setup
