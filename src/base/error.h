// The one error type of DeepPool and the Result that carries it.
// Born in codecs, stores and adapters; decided in gateway/attempts.cc; turned into an answer in one
// table per API. `message` may reach a caller, `detail` never does (it goes to the log).
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace deeppool::base {

// Conditions in the product's own words. Every enumerator has a row in gateway/openai_error.cc and
// in webapi/envelope.cc; tests walk all of them.
enum class ErrorCode {
  invalid_request,       // the caller sent something wrong; `param` names the field
  unauthenticated,       // no valid key or session
  permission_denied,     // known, but not allowed (disabled key, wrong role)
  not_found,             // no such object (or not the caller's)
  model_not_found,       // no such model, or this key may not use it
  conflict,              // exists already, or changed meanwhile
  idempotency_mismatch,  // an Idempotency-Key that was used for another request
  context_length,        // the prompt does not fit into the model's context
  payload_too_large,
  unsupported_media_type,
  content_policy,      // a guardrail refused it
  rate_limited,        // RPM, TPM or login attempts; no retry_after: waiting never helps
  insufficient_quota,  // tokens, grants and balance are spent
  upstream_failed,     // the provider answered wrongly or not at all
  upstream_timeout,
  no_backend,   // every candidate failed or none is healthy
  unavailable,  // a part of our own (store, queue, disk) cannot serve right now
  timeout,      // a deadline of our own passed
  cancelled,    // the caller went away, or we are shutting down
  internal,     // a bug
};
inline constexpr int kErrorCodeCount = static_cast<int>(ErrorCode::internal) + 1;

// The enumerator's name, for logs and metrics.
std::string_view to_string(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;  // for callers: says what is wrong and how to mend it
  std::string detail;   // for the log only
  std::string param;    // the field at fault, empty if none
  std::optional<std::chrono::milliseconds> retry_after;

  Error(ErrorCode c, std::string msg, std::string log_detail = {})
      : code(c), message(std::move(msg)), detail(std::move(log_detail)) {}

  // An invalid_request that names its field.
  static Error invalid(std::string field, std::string msg) {
    Error e(ErrorCode::invalid_request, std::move(msg));
    e.param = std::move(field);
    return e;
  }
};

// A value or an Error. Moves only; the error is boxed, so that a Result<size_t> is two words.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::make_unique<Error>(std::move(error))) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & { return *std::get<1>(state_); }
  const Error& error() const& { return *std::get<1>(state_); }
  Error&& error() && { return std::move(*std::get<1>(state_)); }

 private:
  std::variant<T, std::unique_ptr<Error>> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::make_unique<Error>(std::move(error))) {}

  bool ok() const { return error_ == nullptr; }
  explicit operator bool() const { return ok(); }
  Error& error() & { return *error_; }
  const Error& error() const& { return *error_; }
  Error&& error() && { return std::move(*error_); }

 private:
  std::unique_ptr<Error> error_;
};

}  // namespace deeppool::base

namespace deeppool {
using base::Error;
using base::ErrorCode;
using base::Result;
}  // namespace deeppool

#define DP_CONCAT_(a, b) a##b
#define DP_CONCAT(a, b) DP_CONCAT_(a, b)
// DP_TRY(auto row, store.find(id)): the value, or return its error. DP_CO_TRY inside a coroutine;
// there `expr` is a plain Result, never a co_await (name the awaited value first).
#define DP_TRY_(tmp, decl, expr, ret)   \
  auto tmp = (expr);                    \
  if (!tmp) ret std::move(tmp).error(); \
  decl = *std::move(tmp)
#define DP_TRY(decl, expr) DP_TRY_(DP_CONCAT(dp_try_, __LINE__), decl, expr, return)
#define DP_CO_TRY(decl, expr) DP_TRY_(DP_CONCAT(dp_try_, __LINE__), decl, expr, co_return)
// The same for Result<void>.
#define DP_CHECK_(tmp, expr, ret) \
  if (auto tmp = (expr); !tmp) ret std::move(tmp).error()
#define DP_CHECK(expr) DP_CHECK_(DP_CONCAT(dp_chk_, __LINE__), expr, return)
#define DP_CO_CHECK(expr) DP_CHECK_(DP_CONCAT(dp_chk_, __LINE__), expr, co_return)
