#include "provider/failure.h"

#include <charconv>
#include <cmath>
#include <ctime>

#include "base/text.h"

namespace deeppool::provider {
namespace {

using Kind = llm::UpstreamError::Kind;

constexpr double kLongestHintSeconds = 3600;
constexpr const char* kRefusedUs = "The model's provider refused to serve this platform.";

std::string log_text(int status, const std::optional<llm::UpstreamError>& said) {
  std::string text = "upstream status " + std::to_string(status);
  if (said) text += ": " + said->type + " " + said->code + " " + said->message;
  return text;
}

// The request is at fault: nobody else would take it either.
Failure callers_fault(ErrorCode code, const char* message, std::string detail) {
  return {Error(code, message, std::move(detail)), Elsewhere::pointless, {}};
}

Failure make(ErrorCode code, const char* message, std::string detail, Fault fault) {
  return {Error(code, message, std::move(detail)), Elsewhere::worth_trying, fault};
}

std::optional<Failure> failure_of_kind(Kind kind, const std::string& detail) {
  switch (kind) {
    case Kind::context_length: {
      Failure f = callers_fault(ErrorCode::context_length,
                                "The request is longer than the model's context. Shorten the "
                                "messages or lower max_tokens.",
                                detail);
      f.error.param = "messages";
      return f;
    }
    case Kind::content_policy:
      return callers_fault(ErrorCode::content_policy, "The model's provider refused the content.",
                           detail);
    case Kind::rate_limited:
      return make(ErrorCode::rate_limited,
                  "The model's provider is limiting requests. Try again later.", detail,
                  Fault::rate_limited);
    // Our account, key or configuration at the provider is at fault, never the caller's.
    case Kind::insufficient_quota:
    case Kind::authentication:
      return make(ErrorCode::upstream_failed, kRefusedUs, detail, Fault::refused);
    // Other models of the same endpoint may be right: no reason to close it at once.
    case Kind::model_not_found:
      return make(ErrorCode::upstream_failed, kRefusedUs, detail, Fault::bad_answer);
    case Kind::overloaded:
      return make(ErrorCode::upstream_failed,
                  "The model's provider is overloaded. Try again later.", detail,
                  Fault::server_error);
    case Kind::other:
      break;
  }
  return std::nullopt;
}

// A provider that refuses a request as wrong repeats its words: names of tools, texts. What those
// seem to say of our account or of the provider's state would let any caller close an endpoint.
bool believable(int status, const llm::UpstreamError& said) {
  if (status == 401 || status == 403) return false;  // our key, whatever they say
  const bool of_request = said.kind == Kind::context_length || said.kind == Kind::content_policy;
  const bool refused = status == 400 || status == 409 || status == 413 || status == 422;
  return !refused || of_request || !said.in_passing;
}

// Of a status without words that we know.
Fault fault_of_status(int status) {
  if (status == 401 || status == 402 || status == 403) return Fault::refused;
  return status >= 500 ? Fault::server_error : Fault::bad_answer;
}

}  // namespace

Failure failure_of_error(const llm::UpstreamError& said) {
  const std::string detail = log_text(200, said);
  if (auto known = failure_of_kind(said.kind, detail)) return std::move(*known);
  return make(ErrorCode::upstream_failed, "The model's provider reported an error.", detail,
              Fault::server_error);
}

Failure failure_of_status(int status, std::optional<std::string_view> retry_after,
                          const std::optional<llm::UpstreamError>& said, const base::Clock& clock) {
  const std::string detail = log_text(status, said);
  if (said && believable(status, *said)) {
    if (auto known = failure_of_kind(said->kind, detail)) {
      if (retry_after) known->error.retry_after = parse_retry_after(*retry_after, clock);
      return std::move(*known);
    }
  }
  if (status == 429) {
    Failure f = *failure_of_kind(Kind::rate_limited, detail);
    if (retry_after) f.error.retry_after = parse_retry_after(*retry_after, clock);
    return f;
  }
  if (status == 400 || status == 409 || status == 422) {
    return callers_fault(
        ErrorCode::invalid_request,
        "The model's provider refused the request as invalid. Check the parameters that this "
        "model supports.",
        detail);
  }
  if (status == 413) {
    return callers_fault(ErrorCode::payload_too_large,
                         "The request is too large for the model's provider.", detail);
  }
  if (status == 408 || status == 504) {
    return make(ErrorCode::upstream_timeout, "The model's provider took too long.", detail,
                Fault::timeout);
  }
  Failure f = make(ErrorCode::upstream_failed, "The model's provider failed.", detail,
                   fault_of_status(status));
  if (retry_after && status >= 500) f.error.retry_after = parse_retry_after(*retry_after, clock);
  return f;
}

std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value,
                                                           const base::Clock& clock) {
  double seconds = 0;
  const auto [end, ec] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (ec != std::errc{} || end != value.data() + value.size()) {
    std::tm tm{};
    const std::string text(value);
    const char* rest = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &tm);
    if (rest == nullptr || *rest != '\0') return std::nullopt;
    seconds = static_cast<double>(timegm(&tm) - base::unix_seconds(clock.wall()));
  }
  if (!(seconds >= 0) || seconds > kLongestHintSeconds) return std::nullopt;
  return std::chrono::milliseconds(static_cast<int64_t>(std::ceil(seconds * 1000)));
}

}  // namespace deeppool::provider
