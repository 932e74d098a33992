#include "gateway/dropped_params.h"

#include <string_view>

#include "gateway/limits.h"

namespace deeppool::gateway {
namespace {

// What the paths of parameters are made of, such as tools[0].function.
bool is_path_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_.[]-").find(c) != std::string_view::npos;
}

}  // namespace

std::string dropped_params(const std::vector<std::string>& names) {
  std::string list;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) list += ", ";
    if (i == kMaxDroppedNames) return list += "...";
    const std::string_view name = std::string_view(names[i]).substr(0, kMaxDroppedNameBytes);
    for (const char c : name) list += is_path_character(c) ? c : '_';
  }
  return list;
}

}  // namespace deeppool::gateway
