#include "llm/openai/upstream_error.h"

#include <array>

#include "base/text.h"
#include "json/number.h"
#include "json/reader.h"
#include "llm/limits.h"

namespace deeppool::llm {

using json::Kind;

namespace {

// A string's text, or any other value as it is written; cut to a bound.
std::string read_text(json::Reader& reader) {
  std::string text;
  if (reader.peek() == Kind::string) {
    json::append_unescaped(text, reader.text(reader.read_string()));
  } else if (reader.peek() == Kind::null) {
    reader.skip();
  } else {
    text = reader.text(reader.skip());
  }
  if (text.size() > kMaxErrorTextBytes) text.resize(kMaxErrorTextBytes);
  return text;
}

void read_members(json::Reader& reader, UpstreamError& error) {
  for (json::Members members(reader); members.next();) {
    const std::string_view key = members.key();
    if (key == "message" || key == "msg" || key == "status_msg")
      error.message = read_text(reader);
    else if (key == "type" || key == "status")
      error.type = read_text(reader);
    else if (key == "code" || key == "status_code")
      error.code = read_text(reader);
    else
      reader.skip();
  }
}

size_t find_word(std::string_view text, std::string_view word) {
  for (size_t i = 0; i + word.size() <= text.size(); ++i) {
    if (base::iequals(text.substr(i, word.size()), word)) return i;
  }
  return std::string_view::npos;
}

// "Your credit balance is too low": a provider that speaks of its customer begins so.
constexpr std::string_view kOurs = "your ";

struct Sign {
  std::string_view word;
  UpstreamError::Kind kind;
};

// First match wins, so the specific come before the general. Words of OpenAI, Azure, DeepSeek,
// Qwen, Kimi, GLM, Anthropic, Gemini, vLLM and SGLang as of November 2026.
constexpr auto kSigns = std::to_array<Sign>({
    {"insufficient_quota", UpstreamError::Kind::insufficient_quota},
    {"exceeded_current_quota", UpstreamError::Kind::insufficient_quota},
    {"insufficient balance", UpstreamError::Kind::insufficient_quota},
    {"billing_error", UpstreamError::Kind::insufficient_quota},
    {"credit balance", UpstreamError::Kind::insufficient_quota},
    {"arrearage", UpstreamError::Kind::insufficient_quota},
    {"context_length", UpstreamError::Kind::context_length},
    {"context length", UpstreamError::Kind::context_length},
    {"context window", UpstreamError::Kind::context_length},
    {"maximum context", UpstreamError::Kind::context_length},
    {"prompt is too long", UpstreamError::Kind::context_length},
    {"input length", UpstreamError::Kind::context_length},
    {"input token count", UpstreamError::Kind::context_length},
    {"content_policy", UpstreamError::Kind::content_policy},
    {"content_filter", UpstreamError::Kind::content_policy},
    {"content filtering policy", UpstreamError::Kind::content_policy},
    {"content management policy", UpstreamError::Kind::content_policy},
    {"data_inspection", UpstreamError::Kind::content_policy},
    {"invalid_api_key", UpstreamError::Kind::authentication},
    {"invalid_authentication", UpstreamError::Kind::authentication},
    {"authentication_error", UpstreamError::Kind::authentication},
    {"permission_error", UpstreamError::Kind::authentication},
    {"incorrect api key", UpstreamError::Kind::authentication},
    {"api key not valid", UpstreamError::Kind::authentication},
    {"unauthenticated", UpstreamError::Kind::authentication},
    {"permission_denied", UpstreamError::Kind::authentication},
    {"model_not_found", UpstreamError::Kind::model_not_found},
    {"not_found_error", UpstreamError::Kind::model_not_found},
    {"is not found for api version", UpstreamError::Kind::model_not_found},
    {"resource_exhausted", UpstreamError::Kind::rate_limited},
    {"rate_limit", UpstreamError::Kind::rate_limited},
    {"rate limit", UpstreamError::Kind::rate_limited},
    {"too many requests", UpstreamError::Kind::rate_limited},
    {"throttl", UpstreamError::Kind::rate_limited},
    {"overloaded", UpstreamError::Kind::overloaded},
    {"server_busy", UpstreamError::Kind::overloaded},
});

// MiniMax's base_resp.status_code (platform.minimax.io/docs/api-reference/errorcode, 2026-11).
constexpr auto kBaseCodes = std::to_array<Sign>({
    {"1002", UpstreamError::Kind::rate_limited},
    {"1004", UpstreamError::Kind::authentication},
    {"1008", UpstreamError::Kind::insufficient_quota},
    {"1026", UpstreamError::Kind::content_policy},
    {"1027", UpstreamError::Kind::content_policy},
    {"1039", UpstreamError::Kind::rate_limited},
    {"2049", UpstreamError::Kind::authentication},
    {"2056", UpstreamError::Kind::insufficient_quota},
});

UpstreamError::Kind kind_of_base_code(std::string_view code) {
  for (const Sign& sign : kBaseCodes) {
    if (sign.word == code) return sign.kind;
  }
  return UpstreamError::Kind::other;
}

void classify(UpstreamError& error) {
  UpstreamError::Kind in_passing = UpstreamError::Kind::other;
  for (const Sign& sign : kSigns) {
    const size_t at = find_word(error.message, sign.word);
    const bool opens = at == 0 || (at == kOurs.size() && find_word(error.message, kOurs) == 0);
    const bool said = opens || find_word(error.code, sign.word) != std::string::npos ||
                      find_word(error.type, sign.word) != std::string::npos;
    if (said) error.kind = sign.kind;
    if (said) return;
    const bool first = in_passing == UpstreamError::Kind::other;
    if (first && at != std::string_view::npos) in_passing = sign.kind;
  }
  if (error.code == "429") error.kind = UpstreamError::Kind::rate_limited;
  if (error.code == "401" || error.code == "403") error.kind = UpstreamError::Kind::authentication;
  if (error.code == "503" || error.code == "529") error.kind = UpstreamError::Kind::overloaded;
  if (error.kind != UpstreamError::Kind::other) return;
  error.kind = in_passing;
  error.in_passing = in_passing != UpstreamError::Kind::other;
}

}  // namespace

std::optional<UpstreamError> find_error(std::string_view json) {
  json::Reader reader(json);
  if (reader.peek() != Kind::object) return std::nullopt;
  UpstreamError error;
  UpstreamError flat;  // {"object":"error","message":...}
  UpstreamError base;  // MiniMax
  bool found = false;
  bool is_flat = false;
  for (json::Members members(reader); members.next();) {
    const std::string_view key = members.key();
    const Kind kind = reader.peek();
    if (key == "error" && kind == Kind::object) {
      found = true;
      read_members(reader, error);
    } else if ((key == "error" && kind != Kind::null && kind != Kind::boolean) || key == "detail") {
      found = true;
      error.message = read_text(reader);
    } else if (key == "base_resp" && kind == Kind::object) {
      read_members(reader, base);
    } else if (key == "object") {
      is_flat = read_text(reader) == "error";
    } else if (key == "message") {
      flat.message = read_text(reader);
    } else if (key == "type") {
      flat.type = read_text(reader);
    } else if (key == "code") {
      flat.code = read_text(reader);
    } else {
      reader.skip();
    }
  }
  if (!reader.finish()) return std::nullopt;
  const bool from_base = !found && !is_flat && !base.code.empty() && base.code != "0";
  if (!found && is_flat)
    error = std::move(flat);
  else if (from_base)
    error = std::move(base);
  else if (!found)
    return std::nullopt;
  error.kind = from_base ? kind_of_base_code(error.code) : UpstreamError::Kind::other;
  if (error.kind == UpstreamError::Kind::other) classify(error);
  return error;
}

}  // namespace deeppool::llm
