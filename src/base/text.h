// Small pieces of text handling that the standard library lacks. All are byte-exact and
// locale-free.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace deeppool::base {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
// ASCII case-insensitive equality, as HTTP field names need it.
inline bool iequals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}
// Without spaces and tabs at both ends.
inline std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}
std::vector<std::string_view> split(std::string_view s, char separator);

// A whole decimal integer and nothing else.
template <class Int>
std::optional<Int> parse_int(std::string_view s) {
  Int v{};
  const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (ec != std::errc{} || end != s.data() + s.size() || s.empty()) return std::nullopt;
  return v;
}

// True if `s` is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates).
bool valid_utf8(std::string_view s);

// What a '+' stands for: itself in a path, a space in a query.
enum class Plus { literal, space };
// Decodes %XX; nullopt on a bad escape.
std::optional<std::string> percent_decode(std::string_view s, Plus plus = Plus::literal);
std::string percent_encode(std::string_view s);

std::string hex_encode(std::string_view bytes);
// The same into `out`, which has room for two characters per byte.
void hex_encode_to(char* out, std::string_view bytes);
std::optional<std::string> hex_decode(std::string_view text);
// RFC 4648; url-safe without padding, and the standard alphabet with padding.
std::string base64url_encode(std::string_view bytes);
std::optional<std::string> base64url_decode(std::string_view text);
std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);

// A decimal integer, without the temporary string of std::to_string.
template <class Int>
void append_int(std::string& out, Int value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

// True if `text` is visible ASCII that stands for itself in a JSON string.
bool plain_json(std::string_view text);
// Appends `text` as a JSON string with its quotes. Bytes that are not valid UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace deeppool::base
