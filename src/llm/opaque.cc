#include "llm/opaque.h"

#include "base/text.h"
#include "json/reader.h"

namespace deeppool::llm {

namespace {
constexpr std::string_view kMark = "dp1_";
}

std::string to_opaque(std::string_view json) {
  return std::string(kMark) + base::base64url_encode(json);
}

std::optional<json::PaddedBytes> from_opaque(std::string_view word) {
  if (!word.starts_with(kMark)) return std::nullopt;
  const auto text = base::base64url_decode(word.substr(kMark.size()));
  if (!text) return std::nullopt;
  json::PaddedBytes json(*text);
  json::Reader reader(json.view());
  reader.skip();
  if (!reader.finish()) return std::nullopt;
  return json;
}

}  // namespace deeppool::llm
