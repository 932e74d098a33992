#include "llm/anthropic/error.h"

#include "llm/json_out.h"

namespace deeppool::llm::anthropic {

ErrorRow error_row(const ErrorText& error) {
  if (error.code == "insufficient_quota") return {402, "billing_error"};
  switch (error.status) {
    case 401:
      return {401, "authentication_error"};
    case 403:
      return {403, "permission_error"};
    case 404:
      return {404, "not_found_error"};
    case 408:
      return {408, "timeout_error"};
    case 413:
      return {413, "request_too_large"};
    case 429:
      return {429, "rate_limit_error"};
    case 503:
      return {529, "overloaded_error"};
    case 504:
      return {504, "timeout_error"};
    default:
      break;
  }
  if (error.status >= 500) return {error.status, "api_error"};
  return {error.status, "invalid_request_error"};
}

std::string error_body(const ErrorText& error) {
  std::string body;
  JsonOut json(body);
  json.object();
  json.string("type", "error");
  json.key("error");
  json.object();
  json.string("type", error_row(error).type);
  json.string("message", error.message);
  if (!error.param.empty()) json.string("param", error.param);
  json.end_object();
  json.string("request_id", error.request_id);
  json.end_object();
  return body;
}

}  // namespace deeppool::llm::anthropic
