#include "webapi/envelope.h"

#include <boost/json/serialize.hpp>

#include "base/log.h"

namespace deeppool::webapi {
namespace {

constexpr std::string_view kJson = "application/json";

int64_t seconds_up(std::chrono::milliseconds wait) {
  return std::chrono::ceil<std::chrono::seconds>(wait).count();
}

// Answers hold keys and sessions: no cache keeps them.
void add_common_headers(http::Exchange& x) {
  x.add_header("Cache-Control", "no-store");
}

}  // namespace

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_request:
    case ErrorCode::content_policy:
    case ErrorCode::context_length:
      return 400;
    case ErrorCode::unauthenticated:
      return 401;
    case ErrorCode::permission_denied:
      return 403;
    case ErrorCode::not_found:
    case ErrorCode::model_not_found:
      return 404;
    case ErrorCode::conflict:
      return 409;
    case ErrorCode::idempotency_mismatch:
      return 422;
    case ErrorCode::payload_too_large:
      return 413;
    case ErrorCode::unsupported_media_type:
      return 415;
    case ErrorCode::rate_limited:
    case ErrorCode::insufficient_quota:
      return 429;
    case ErrorCode::internal:
      return 500;
    case ErrorCode::upstream_failed:
      return 502;
    case ErrorCode::no_backend:
    case ErrorCode::unavailable:
    case ErrorCode::cancelled:
      return 503;
    case ErrorCode::upstream_timeout:
    case ErrorCode::timeout:
      return 504;
  }
  return 500;
}

std::string ok_body(const boost::json::value& data) {
  return R"({"code":0,"message":"ok","data":)" + boost::json::serialize(data) + "}";
}

std::string error_body(const Error& error, int status) {
  boost::json::object data;
  data["error"] = base::to_string(error.code);
  if (!error.param.empty()) data["param"] = error.param;
  if (error.retry_after) data["retry_after_seconds"] = seconds_up(*error.retry_after);
  boost::json::object body;
  body["code"] = status;
  body["message"] = error.code == ErrorCode::internal ? "Something went wrong on our side."
                                                      : std::string_view(error.message);
  body["data"] = std::move(data);
  return boost::json::serialize(body);
}

Task<void> answer_error(http::Exchange& x, Error error) {
  if (error.code == ErrorCode::internal || error.code == ErrorCode::unavailable) {
    log::error(
        "a request failed on our side",
        {{"request_id", x.id.to_string()}, {"reason", error.message}, {"detail", error.detail}});
  }
  add_common_headers(x);
  if (error.code == ErrorCode::unauthenticated) x.add_header("WWW-Authenticate", "Bearer");
  if (error.retry_after) {
    x.add_header("Retry-After", std::to_string(seconds_up(*error.retry_after)));
  }
  const int status = x.final_status(status_of(error.code));
  const std::string body = error_body(error, status);
  Result<void> sent = co_await x.send(status, kJson, body);  // or nobody is there
}

Task<void> answer(http::Exchange& x, Result<boost::json::value> result) {
  if (!result) {
    co_await answer_error(x, std::move(result).error());
    co_return;
  }
  add_common_headers(x);
  const std::string body = ok_body(*result);
  Result<void> sent = co_await x.send(200, kJson, body);  // or nobody is there
}

}  // namespace deeppool::webapi
