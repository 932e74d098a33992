#include "mock_upstream/dialect.h"

#include "base/text.h"

namespace deeppool::mock {
namespace {

std::string quoted_or_null(std::string_view text) {
  if (text.empty()) return "null";
  std::string out;
  base::append_json_string(out, text);
  return out;
}

struct StatusWord {
  int status;
  std::string_view anthropic;
  std::string_view gemini;
};
constexpr StatusWord kStatusWords[] = {
    {400, "invalid_request_error", "INVALID_ARGUMENT"},
    {401, "authentication_error", "UNAUTHENTICATED"},
    {402, "billing_error", "FAILED_PRECONDITION"},
    {403, "permission_error", "PERMISSION_DENIED"},
    {404, "not_found_error", "NOT_FOUND"},
    {409, "invalid_request_error", "ABORTED"},
    {413, "request_too_large", "INVALID_ARGUMENT"},
    {422, "invalid_request_error", "INVALID_ARGUMENT"},
    {429, "rate_limit_error", "RESOURCE_EXHAUSTED"},
    {503, "overloaded_error", "UNAVAILABLE"},
    {504, "timeout_error", "DEADLINE_EXCEEDED"},
    {529, "overloaded_error", "UNAVAILABLE"},
};

std::string_view word_for(Dialect dialect, int status) {
  for (const StatusWord& row : kStatusWords) {
    if (row.status == status) return dialect == Dialect::anthropic ? row.anthropic : row.gemini;
  }
  return dialect == Dialect::anthropic ? "api_error" : "INTERNAL";
}

Route openai_route(std::string_view path) {
  if (path == "/chat/completions") return Route::chat;
  if (path == "/completions") return Route::completions;
  return path == "/embeddings" ? Route::embeddings : Route::unknown;
}

// `/models/<model>:<method>`. The model's own script may have colons.
Place gemini_place(std::string_view path) {
  Place place{.dialect = Dialect::gemini};
  const size_t colon = path.rfind(':');
  if (colon == std::string_view::npos) return place;
  const std::string_view model = path.substr(8, colon - 8);
  const std::string_view method = path.substr(colon + 1);
  place.model = base::percent_decode(model).value_or(std::string(model));
  place.stream = method == "streamGenerateContent";
  if (place.stream || method == "generateContent") place.route = Route::chat;
  if (method == "countTokens") place.route = Route::count_tokens;
  return place;
}

Place models_place(const http::RequestHead& head) {
  Place place{.route = Route::models};
  if (head.headers.find("anthropic-version")) place.dialect = Dialect::anthropic;
  if (head.target.starts_with("/v1beta/")) place.dialect = Dialect::gemini;
  return place;
}

}  // namespace

Place place_of(const http::RequestHead& head) {
  std::string_view path = head.target.substr(0, head.target.find('?'));
  const bool get = head.method == http::Method::get;
  if (path == "/mock/stats" && get) return {.route = Route::stats};
  for (const std::string_view prefix : {"/anthropic/", "/v1beta/", "/v1/"}) {
    if (path.starts_with(prefix)) path.remove_prefix(prefix.size() - 1);
  }
  if (path == "/models" && get) return models_place(head);
  if (head.method != http::Method::post) return {};
  if (path == "/messages") return {.dialect = Dialect::anthropic, .route = Route::chat};
  if (path == "/messages/count_tokens") {
    return {.dialect = Dialect::anthropic, .route = Route::count_tokens};
  }
  if (path.starts_with("/models/")) return gemini_place(path);
  return {.route = openai_route(path)};
}

std::string error_json(Dialect dialect, int status, const ApiError& error) {
  const std::string message = quoted_or_null(error.message);
  if (dialect == Dialect::anthropic) {
    return "{\"type\":\"error\",\"error\":{\"type\":\"" + std::string(word_for(dialect, status)) +
           "\",\"message\":" + message + "},\"request_id\":\"req_mock\"}";
  }
  if (dialect == Dialect::gemini) {
    return "{\"error\":{\"code\":" + std::to_string(status) + ",\"message\":" + message +
           ",\"status\":\"" + std::string(word_for(dialect, status)) + "\"}}";
  }
  return "{\"error\":{\"message\":" + message + ",\"type\":" + quoted_or_null(error.type) +
         ",\"param\":" + quoted_or_null(error.param) + ",\"code\":" + quoted_or_null(error.code) +
         "}}";
}

}  // namespace deeppool::mock
