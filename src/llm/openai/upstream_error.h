// What an upstream said when it failed, in any of the shapes that OpenAI-like servers use. For logs
// and for deciding what to do next; its text never goes to a caller (it may name hosts and keys).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace deeppool::llm {

struct UpstreamError {
  enum class Kind : uint8_t {
    other,
    rate_limited,
    insufficient_quota,
    context_length,
    content_policy,
    authentication,
    model_not_found,
    overloaded,
  };

  Kind kind = Kind::other;
  // What speaks for `kind` stands in the midst of the message alone, where providers repeat words
  // of the request.
  bool in_passing = false;
  std::string message;  // each at most kMaxErrorTextBytes
  std::string type;
  std::string code;
};

// Looks for an error in one JSON object: {"error":{...}}, {"error":"text"}, {"object":"error",...},
// {"detail":...}, {"base_resp":{"status_code":...}} (MiniMax). Nothing if there is none or the text
// is not JSON. `json` has json::kPadding readable bytes behind it.
std::optional<UpstreamError> find_error(std::string_view json);

}  // namespace deeppool::llm
