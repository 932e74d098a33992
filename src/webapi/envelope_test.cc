#include "webapi/envelope.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <map>

namespace deeppool::webapi {
namespace {

TEST(Envelope, EveryErrorCodeHasAStatusThatFits) {
  const std::map<ErrorCode, int> expected = {
      {ErrorCode::context_length, 400},     {ErrorCode::invalid_request, 400},
      {ErrorCode::unauthenticated, 401},    {ErrorCode::permission_denied, 403},
      {ErrorCode::not_found, 404},          {ErrorCode::model_not_found, 404},
      {ErrorCode::conflict, 409},           {ErrorCode::idempotency_mismatch, 422},
      {ErrorCode::payload_too_large, 413},  {ErrorCode::unsupported_media_type, 415},
      {ErrorCode::content_policy, 400},     {ErrorCode::rate_limited, 429},
      {ErrorCode::insufficient_quota, 429}, {ErrorCode::upstream_failed, 502},
      {ErrorCode::upstream_timeout, 504},   {ErrorCode::no_backend, 503},
      {ErrorCode::unavailable, 503},        {ErrorCode::timeout, 504},
      {ErrorCode::cancelled, 503},          {ErrorCode::internal, 500},
  };
  for (int i = 0; i < base::kErrorCodeCount; ++i) {
    const auto code = static_cast<ErrorCode>(i);
    ASSERT_TRUE(expected.contains(code)) << base::to_string(code);
    EXPECT_EQ(status_of(code), expected.at(code)) << base::to_string(code);
    const std::string text = error_body(Error(code, "Words.", "detail-secret"), 418);
    const auto body = boost::json::parse(text);
    EXPECT_EQ(body.at("code").as_int64(), 418);
    EXPECT_EQ(body.at("data").at("error").as_string(), base::to_string(code));
    EXPECT_EQ(text.find("detail-secret"), std::string::npos);
  }
}

TEST(Envelope, ErrorsNameTheFieldAndTheWait) {
  Error error = Error::invalid("name", "Too \"long\".");
  error.retry_after = std::chrono::milliseconds(1001);
  EXPECT_EQ(error_body(error, 400),
            R"({"code":400,"message":"Too \"long\".","data":{"error":"invalid_request",)"
            R"("param":"name","retry_after_seconds":2}})");
}

TEST(Envelope, InternalErrorsSayNothingOfThemselves) {
  const std::string body = error_body(Error(ErrorCode::internal, "SELECT secret FROM users"), 500);
  EXPECT_EQ(body.find("SELECT"), std::string::npos);
}

TEST(Envelope, SuccessIsCodeZero) {
  EXPECT_EQ(ok_body({{"a", 1}}), R"({"code":0,"message":"ok","data":{"a":1}})");
  EXPECT_EQ(ok_body(nullptr), R"({"code":0,"message":"ok","data":null})");
}

}  // namespace
}  // namespace deeppool::webapi
