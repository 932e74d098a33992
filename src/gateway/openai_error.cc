#include "gateway/openai_error.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "gateway/limits.h"

namespace deeppool::gateway {

OpenAiError openai_error(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_request:
      return {400, "invalid_request_error", "invalid_value", true};
    case ErrorCode::unauthenticated:
      return {401, "invalid_request_error", "invalid_api_key", true};
    case ErrorCode::permission_denied:
      return {403, "permission_error", "key_disabled", true};
    case ErrorCode::not_found:
      return {404, "invalid_request_error", "not_found", true};
    case ErrorCode::model_not_found:
      return {404, "invalid_request_error", "model_not_found", true};
    case ErrorCode::conflict:
      return {409, "invalid_request_error", "conflict", false};
    case ErrorCode::idempotency_mismatch:
      return {422, "invalid_request_error", "idempotency_key_reused", true};
    case ErrorCode::context_length:
      return {400, "invalid_request_error", "context_length_exceeded", true};
    case ErrorCode::payload_too_large:
      return {413, "invalid_request_error", "request_too_large", true};
    case ErrorCode::unsupported_media_type:
      return {415, "invalid_request_error", "unsupported_media_type", true};
    case ErrorCode::content_policy:
      return {400, "invalid_request_error", "content_policy_violation", true};
    case ErrorCode::rate_limited:
      return {429, "rate_limit_error", "rate_limit_exceeded", false};
    case ErrorCode::insufficient_quota:
      return {429, "insufficient_quota", "insufficient_quota", true};
    case ErrorCode::upstream_failed:
      return {502, "upstream_error", "upstream_error", false};
    case ErrorCode::upstream_timeout:
      return {504, "upstream_error", "upstream_timeout", false};
    case ErrorCode::no_backend:
      return {503, "upstream_error", "no_available_backend", false};
    case ErrorCode::unavailable:
      return {503, "server_error", "unavailable", false};
    case ErrorCode::timeout:
      return {408, "invalid_request_error", "request_timeout", false};
    case ErrorCode::cancelled:
      return {503, "server_error", "shutting_down", false};
    case ErrorCode::internal:
      return {500, "server_error", "internal_error", false};
  }
  return {500, "server_error", "internal_error", false};
}

int openai_error_status(ErrorCode code) {
  return openai_error(code).status;
}

std::string openai_error_body(const Error& error) {
  const OpenAiError row = openai_error(error.code);
  std::string body = "{\"error\":{\"message\":";
  base::append_json_string(body, error.message);
  body += ",\"type\":";
  base::append_json_string(body, row.type);
  body += ",\"param\":";
  if (error.param.empty()) {
    body += "null";
  } else {
    base::append_json_string(body, error.param);
  }
  body += ",\"code\":";
  base::append_json_string(body, row.code);
  body += "}}";
  return body;
}

void prepare_error(http::Exchange& x, const Error& error) {
  if (!error.detail.empty()) {
    log::warn("request failed", {{"request_id", x.id.to_string()},
                                 {"code", base::to_string(error.code)},
                                 {"detail", error.detail}});
  }
  if (error.retry_after) {
    const auto ms = std::min(*error.retry_after, kLongestHint).count();
    x.add_header("retry-after", std::to_string((ms + 999) / 1000));
    x.add_header("retry-after-ms", std::to_string(ms));
  }
  const bool never = error.code == ErrorCode::rate_limited && !error.retry_after;
  if (never || openai_error(error.code).final) x.add_header("x-should-retry", "false");
}

Task<void> answer_openai_error(http::Exchange& x, Error error) {
  prepare_error(x, error);
  // The caller being gone is no reason to care about the result of the write.
  const std::string body = openai_error_body(error);
  Result<void> sent = co_await x.send(openai_error(error.code).status, "application/json", body);
  (void)sent;
}

}  // namespace deeppool::gateway
