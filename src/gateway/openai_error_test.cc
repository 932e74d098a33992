#include "gateway/openai_error.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "gateway/messages.h"

namespace deeppool::gateway {
namespace {

TEST(OpenAiError, EveryCodeHasARowThatClientsCanActOn) {
  for (int i = 0; i < base::kErrorCodeCount; ++i) {
    const auto code = static_cast<ErrorCode>(i);
    const OpenAiError row = openai_error(code);
    EXPECT_GE(row.status, 400) << to_string(code);
    EXPECT_LT(row.status, 600) << to_string(code);
    EXPECT_FALSE(row.type.empty()) << to_string(code);
    EXPECT_FALSE(row.code.empty()) << to_string(code);
    // An SDK would retry these statuses by itself; where that cannot help, the row must forbid it.
    if (row.status == 400 || row.status == 401 || row.status == 403) {
      EXPECT_TRUE(row.final) << to_string(code);
    }
  }
}

TEST(OpenAiError, TheProductsStatuses) {
  EXPECT_EQ(openai_error(ErrorCode::unauthenticated).status, 401);
  EXPECT_EQ(openai_error(ErrorCode::permission_denied).status, 403);
  EXPECT_EQ(openai_error(ErrorCode::model_not_found).status, 404);
  EXPECT_EQ(openai_error(ErrorCode::idempotency_mismatch).status, 422);
  EXPECT_EQ(openai_error(ErrorCode::payload_too_large).status, 413);
  EXPECT_EQ(openai_error(ErrorCode::rate_limited).status, 429);
  EXPECT_FALSE(openai_error(ErrorCode::rate_limited).final);
  EXPECT_EQ(openai_error(ErrorCode::insufficient_quota).status, 429);
  EXPECT_TRUE(openai_error(ErrorCode::insufficient_quota).final);
  EXPECT_EQ(openai_error(ErrorCode::upstream_failed).status, 502);
  EXPECT_EQ(openai_error(ErrorCode::no_backend).status, 503);
  EXPECT_EQ(openai_error(ErrorCode::upstream_timeout).status, 504);
}

// The usage row says what the caller saw.
TEST(OpenAiError, AnthropicsCallersSeeStatusesOfTheirOwn) {
  EXPECT_EQ(kMessages.error_status(ErrorCode::insufficient_quota), 402);
  EXPECT_EQ(kMessages.error_status(ErrorCode::no_backend), 529);
  EXPECT_EQ(kMessages.error_status(ErrorCode::unavailable), 529);
  EXPECT_EQ(kMessages.error_status(ErrorCode::rate_limited), 429);
  EXPECT_EQ(kMessages.error_status(ErrorCode::upstream_failed), 502);
  EXPECT_EQ(kChat.error_status(ErrorCode::no_backend), 503);
}

TEST(OpenAiErrorBody, HasAllFourMembersAndNeverTheDetail) {
  Error error = Error::invalid("messages[0].role", "role \"x\" is\nnot known");
  error.detail = "secret detail";
  const std::string text = openai_error_body(error);
  EXPECT_EQ(text.find("secret"), std::string::npos);
  const auto body = boost::json::parse(text).as_object().at("error").as_object();
  EXPECT_EQ(body.at("message"), "role \"x\" is\nnot known");
  EXPECT_EQ(body.at("type"), "invalid_request_error");
  EXPECT_EQ(body.at("param"), "messages[0].role");
  EXPECT_EQ(body.at("code"), "invalid_value");
  const auto bare = boost::json::parse(openai_error_body(Error(ErrorCode::internal, "x")));
  EXPECT_TRUE(bare.at("error").at("param").is_null());
}

}  // namespace
}  // namespace deeppool::gateway
