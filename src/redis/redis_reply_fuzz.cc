// Any bytes as a reply, at any split (chosen by the first byte): the same reply, or none.
#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "redis/reply.h"

namespace {

using deeppool::redis::Reply;
using deeppool::redis::ReplyParser;

// Nothing when the bytes are refused, cut, or more than a reply.
std::optional<Reply> parse(std::string_view in, size_t step) {
  ReplyParser parser;
  bool whole = false;
  for (size_t at = 0; at < in.size(); at += step) {
    if (whole) return std::nullopt;
    const auto fed = parser.feed(in.substr(at, step));
    if (!fed) return std::nullopt;
    whole = *fed;
  }
  if (!whole) return std::nullopt;
  return parser.take();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const size_t step = 1 + data[0] % 16;
  const std::string_view in(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = parse(in, in.size());
  if (parse(in, step) != whole || parse(in, 1) != whole) std::abort();
  return 0;
}
