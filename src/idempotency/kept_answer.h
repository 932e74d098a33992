// KeptAnswer: what the first request with an Idempotency-Key was answered, and its form in the
// database (before sealing). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace deeppool::idempotency {

struct KeptAnswer {
  enum class Form { whole, stream };
  Form form = Form::whole;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;  // without line breaks
  std::string body;                                          // of a stream: all its events

  bool operator==(const KeptAnswer&) const = default;
};

std::string encode(const KeptAnswer& answer);
// Nothing if these bytes are not what encode() makes.
std::optional<KeptAnswer> decode(std::string_view bytes);

}  // namespace deeppool::idempotency
