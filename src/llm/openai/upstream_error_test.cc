#include "llm/openai/upstream_error.h"

#include <gtest/gtest.h>

#include "json/padded.h"

namespace deeppool::llm {
namespace {

using Kind = UpstreamError::Kind;

UpstreamError error_of(std::string_view type, std::string_view code, std::string_view message) {
  std::string text = R"({"error":{"type":")";
  text.append(type).append(R"(","code":")").append(code).append(R"(","message":")");
  text.append(message).append(R"("}})");
  return find_error(json::PaddedBytes(text).view()).value();
}

TEST(UpstreamError, WhatIsSaidInPassingIsKnownAsThat) {
  const struct {
    UpstreamError error;
    Kind kind;
    bool in_passing;
  } cases[] = {
      {error_of("invalid_request_error", "", "Invalid schema for function 'rate_limit_check'."),
       Kind::rate_limited, true},
      {error_of("rate_limit_error", "", "Slow down."), Kind::rate_limited, false},
      {error_of("", "", "Rate limit reached for gpt-5."), Kind::rate_limited, false},
      {error_of("invalid_request_error", "", "Your credit balance is too low."),
       Kind::insufficient_quota, false},
      {error_of("", "context_length_exceeded", "Tool 'insufficient_quota' is too long."),
       Kind::context_length, false},
      {error_of("", "", "The tool invalid_api_key_x is not allowed."), Kind::authentication, true},
      {error_of("", "429", "The tool invalid_api_key_x is not allowed."), Kind::rate_limited,
       false},
      {error_of("", "", "That is wrong."), Kind::other, false},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(c.error.kind, c.kind) << c.error.message;
    EXPECT_EQ(c.error.in_passing, c.in_passing) << c.error.message;
  }
}

}  // namespace
}  // namespace deeppool::llm
