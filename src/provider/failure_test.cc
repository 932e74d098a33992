#include "provider/failure.h"

#include <gtest/gtest.h>

#include "testing/fake_clock.h"

namespace deeppool::provider {
namespace {

using Kind = llm::UpstreamError::Kind;

std::optional<llm::UpstreamError> said(Kind kind) {
  llm::UpstreamError error;
  error.kind = kind;
  error.message = "key sk-secret at host internal.example is wrong";
  return error;
}

std::optional<llm::UpstreamError> in_passing(Kind kind) {
  auto error = said(kind);
  error->in_passing = true;
  return error;
}

TEST(FailureOfStatus, SaysWhatTheCallerSeesAndWhetherToGoOn) {
  const struct {
    const char* name;
    int status;
    std::optional<llm::UpstreamError> said;
    ErrorCode code;
    Elsewhere elsewhere;
    std::optional<Fault> fault;
  } cases[] = {
      {"bad request", 400, std::nullopt, ErrorCode::invalid_request, Elsewhere::pointless,
       std::nullopt},
      {"unprocessable", 422, std::nullopt, ErrorCode::invalid_request, Elsewhere::pointless,
       std::nullopt},
      {"too long", 400, said(Kind::context_length), ErrorCode::context_length, Elsewhere::pointless,
       std::nullopt},
      {"policy", 400, said(Kind::content_policy), ErrorCode::content_policy, Elsewhere::pointless,
       std::nullopt},
      {"too large", 413, std::nullopt, ErrorCode::payload_too_large, Elsewhere::pointless,
       std::nullopt},
      // Our key is bad there: never a 401 or 403 to the caller.
      {"bad key", 401, std::nullopt, ErrorCode::upstream_failed, Elsewhere::worth_trying,
       Fault::refused},
      {"bad key, said so", 401, said(Kind::authentication), ErrorCode::upstream_failed,
       Elsewhere::worth_trying, Fault::refused},
      {"forbidden, policy words", 403, said(Kind::content_policy), ErrorCode::upstream_failed,
       Elsewhere::worth_trying, Fault::refused},
      {"our account is empty", 429, said(Kind::insufficient_quota), ErrorCode::upstream_failed,
       Elsewhere::worth_trying, Fault::refused},
      {"upstream model name wrong", 404, said(Kind::model_not_found), ErrorCode::upstream_failed,
       Elsewhere::worth_trying, Fault::bad_answer},
      // The name of a caller's tool, repeated.
      {"of limits in passing", 400, in_passing(Kind::rate_limited), ErrorCode::invalid_request,
       Elsewhere::pointless, std::nullopt},
      {"of keys in passing", 422, in_passing(Kind::authentication), ErrorCode::invalid_request,
       Elsewhere::pointless, std::nullopt},
      {"too long, in passing", 400, in_passing(Kind::context_length), ErrorCode::context_length,
       Elsewhere::pointless, std::nullopt},
      {"no money, with 400", 400, said(Kind::insufficient_quota), ErrorCode::upstream_failed,
       Elsewhere::worth_trying, Fault::refused},
      {"wrong path", 404, std::nullopt, ErrorCode::upstream_failed, Elsewhere::worth_trying,
       Fault::bad_answer},
      {"limited", 429, std::nullopt, ErrorCode::rate_limited, Elsewhere::worth_trying,
       Fault::rate_limited},
      {"timeout", 408, std::nullopt, ErrorCode::upstream_timeout, Elsewhere::worth_trying,
       Fault::timeout},
      {"failure", 500, std::nullopt, ErrorCode::upstream_failed, Elsewhere::worth_trying,
       Fault::server_error},
      {"overloaded", 529, said(Kind::overloaded), ErrorCode::upstream_failed,
       Elsewhere::worth_trying, Fault::server_error},
      {"redirect", 302, std::nullopt, ErrorCode::upstream_failed, Elsewhere::worth_trying,
       Fault::bad_answer},
  };
  testing::FakeClock clock;
  for (const auto& c : cases) {
    const Failure f = failure_of_status(c.status, std::nullopt, c.said, clock);
    EXPECT_EQ(f.error.code, c.code) << c.name;
    EXPECT_EQ(f.elsewhere, c.elsewhere) << c.name;
    EXPECT_EQ(f.fault, c.fault) << c.name;
    EXPECT_EQ(f.error.message.find("sk-secret"), std::string::npos) << c.name;
    EXPECT_EQ(f.error.message.find("internal.example"), std::string::npos) << c.name;
  }
}

TEST(RetryAfter, ReadsWhatServersSend) {
  testing::FakeClock clock;
  using std::chrono::milliseconds;
  EXPECT_EQ(parse_retry_after("2", clock), milliseconds(2000));
  EXPECT_EQ(parse_retry_after("0.25", clock), milliseconds(250));
  EXPECT_EQ(parse_retry_after("0", clock), milliseconds(0));
  for (const char* bad : {"-1", "1e9", "soon", "", "nan", "1 s", "Mon, 01 Jan 1990 00:00:00 GMT"}) {
    EXPECT_EQ(parse_retry_after(bad, clock), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace deeppool::provider
