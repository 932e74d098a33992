#include "provider/anthropic/tool_ids.h"

#include <algorithm>

#include "base/text.h"

namespace deeppool::provider::anthropic {
namespace {

constexpr std::string_view kMark = "dp_";

bool is_plain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

}  // namespace

std::string to_tool_id(std::string_view house_id) {
  const bool good =
      std::all_of(house_id.begin(), house_id.end(), [](char c) { return is_plain(c) || c == '_'; });
  if (good && !house_id.starts_with(kMark)) return std::string(house_id);
  std::string id(kMark);
  for (const char& c : house_id) {
    if (is_plain(c)) {
      id += c;
    } else {
      id += '_';
      id += base::hex_encode({&c, 1});
    }
  }
  return id;
}

}  // namespace deeppool::provider::anthropic
