#include "base/error.h"

namespace deeppool::base {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_request:
      return "invalid_request";
    case ErrorCode::unauthenticated:
      return "unauthenticated";
    case ErrorCode::permission_denied:
      return "permission_denied";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::model_not_found:
      return "model_not_found";
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::idempotency_mismatch:
      return "idempotency_mismatch";
    case ErrorCode::context_length: return "context_length";
    case ErrorCode::payload_too_large:
      return "payload_too_large";
    case ErrorCode::unsupported_media_type:
      return "unsupported_media_type";
    case ErrorCode::content_policy:
      return "content_policy";
    case ErrorCode::rate_limited:
      return "rate_limited";
    case ErrorCode::insufficient_quota:
      return "insufficient_quota";
    case ErrorCode::upstream_failed:
      return "upstream_failed";
    case ErrorCode::upstream_timeout:
      return "upstream_timeout";
    case ErrorCode::no_backend:
      return "no_backend";
    case ErrorCode::unavailable:
      return "unavailable";
    case ErrorCode::timeout:
      return "timeout";
    case ErrorCode::cancelled:
      return "cancelled";
    case ErrorCode::internal:
      return "internal";
  }
  return "unknown";
}

}  // namespace deeppool::base
