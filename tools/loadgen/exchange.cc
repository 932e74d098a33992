#include "loadgen/exchange.h"

#include <charconv>

namespace deeppool::load {
namespace {

int64_t number_after(std::string_view json, std::string_view name) {
  const size_t at = json.find(name);
  if (at == std::string_view::npos) return -1;
  const char* from = json.data() + at + name.size();
  const char* end = json.data() + json.size();
  while (from != end && *from == ' ') ++from;
  int64_t value = -1;
  std::from_chars(from, end, value);
  return value;
}

bool in_nonce(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-';
}

}  // namespace

void read_usage(std::string_view json, Exchange& exchange) {
  const size_t at = json.rfind("\"usage\":{");
  if (at == std::string_view::npos) return;
  const std::string_view usage = json.substr(at);
  exchange.prompt_tokens = number_after(usage, "\"prompt_tokens\":");
  exchange.completion_tokens = number_after(usage, "\"completion_tokens\":");
}

void check_nonces(std::string_view text, Exchange& exchange) {
  constexpr std::string_view kMark = "nonce-";
  for (size_t at = text.find(kMark); at != std::string_view::npos; at = text.find(kMark, at + 1)) {
    size_t end = at + kMark.size();
    while (end < text.size() && in_nonce(text[end])) ++end;
    (text.substr(at, end - at) == exchange.nonce ? exchange.own_nonce : exchange.foreign_nonce) =
        true;
  }
}

}  // namespace deeppool::load
