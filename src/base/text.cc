#include "base/text.h"

#include <array>
#include <cstring>

namespace deeppool::base {

std::vector<std::string_view> split(std::string_view s, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t at = s.find(separator);
    parts.push_back(s.substr(0, at));
    if (at == std::string_view::npos) return parts;
    s.remove_prefix(at + 1);
  }
}

namespace {

// Length of the well-formed UTF-8 sequence at the start of `s`, 0 if there is none.
size_t sequence_length(std::string_view s) {
  const auto at = [&](size_t i) { return i < s.size() ? static_cast<uint8_t>(s[i]) : 0u; };
  const auto follows = [&](size_t i, unsigned low, unsigned high) {
    return at(i) >= low && at(i) <= high;
  };
  const unsigned c = at(0);
  if (c < 0x80) return 1;
  if (c >= 0xc2 && c <= 0xdf) return follows(1, 0x80, 0xbf) ? 2 : 0;
  if (c >= 0xe0 && c <= 0xef) {
    const unsigned low = c == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = c == 0xed ? 0x9f : 0xbf;
    return follows(1, low, high) && follows(2, 0x80, 0xbf) ? 3 : 0;
  }
  if (c >= 0xf0 && c <= 0xf4) {
    const unsigned low = c == 0xf0 ? 0x90 : 0x80;
    const unsigned high = c == 0xf4 ? 0x8f : 0xbf;
    return follows(1, low, high) && follows(2, 0x80, 0xbf) && follows(3, 0x80, 0xbf) ? 4 : 0;
  }
  return 0;
}

// The bytes of `s` from its start that are ASCII, in whole words.
size_t ascii_words(std::string_view s) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  size_t at = 0;
  for (uint64_t word = 0; at + sizeof word <= s.size(); at += sizeof word) {
    std::memcpy(&word, s.data() + at, sizeof word);
    if ((word & kHighBits) != 0) break;
  }
  return at;
}

// ASCII that stands for itself in a JSON string.
constexpr bool needs_no_escape(char c) {
  return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

constexpr char kHex[] = "0123456789abcdef";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encode64(std::string_view bytes, std::string_view alphabet, bool pad) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t left = bytes.size() - i;
    const auto byte = [&](size_t k) { return k < left ? static_cast<uint8_t>(bytes[i + k]) : 0u; };
    const uint32_t group = byte(0) << 16 | byte(1) << 8 | byte(2);
    const size_t digits = left >= 3 ? 4 : left + 1;
    for (size_t d = 0; d < digits; ++d) out.push_back(alphabet[group >> (18 - 6 * d) & 63]);
    if (pad) out.append(4 - digits, '=');
  }
  return out;
}

std::optional<std::string> decode64(std::string_view text, std::string_view alphabet) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(text.size() * 3 / 4);
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const size_t v = alphabet.find(c);
    if (v == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(v);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>(bits >> count & 0xff));
    }
  }
  // Left-over bits must be zero: every byte string has one spelling only.
  if ((bits & ((1u << count) - 1)) != 0) return std::nullopt;
  return out;
}

}  // namespace

bool valid_utf8(std::string_view s) {
  while (true) {
    s.remove_prefix(ascii_words(s));
    if (s.empty()) return true;
    const size_t n = static_cast<uint8_t>(s.front()) < 0x80 ? 1 : sequence_length(s);
    if (n == 0) return false;
    s.remove_prefix(n);
  }
}

std::optional<std::string> percent_decode(std::string_view s, Plus plus) {
  std::string out;
  out.reserve(s.size());
  for (size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '+' && plus == Plus::space) {
      out.push_back(' ');
    } else if (s[i] != '%') {
      out.push_back(s[i]);
    } else {
      const int high = i + 2 < s.size() ? hex_value(s[i + 1]) : -1;
      const int low = i + 2 < s.size() ? hex_value(s[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return out;
}

std::string percent_encode(std::string_view s) {
  std::string out;
  for (const char c : s) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out.push_back(c);
    } else {
      const auto byte = static_cast<uint8_t>(c);
      out.push_back('%');
      out.push_back("0123456789ABCDEF"[byte >> 4]);
      out.push_back("0123456789ABCDEF"[byte & 15]);
    }
  }
  return out;
}

void hex_encode_to(char* out, std::string_view bytes) {
  // Two characters at once: every request spells some fifty bytes of ids.
  static constexpr auto kPairs = [] {
    std::array<std::array<char, 2>, 256> pairs{};
    for (size_t byte = 0; byte < pairs.size(); ++byte)
      pairs[byte] = {kHex[byte >> 4], kHex[byte & 15]};
    return pairs;
  }();
  for (const char c : bytes) {
    std::memcpy(out, kPairs[static_cast<uint8_t>(c)].data(), 2);
    out += 2;
  }
}

std::string hex_encode(std::string_view bytes) {
  std::string out(bytes.size() * 2, '\0');
  hex_encode_to(out.data(), bytes);
  return out;
}

std::optional<std::string> hex_decode(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 2);
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high * 16 + low));
  }
  return out;
}

std::string base64url_encode(std::string_view bytes) {
  return encode64(bytes, kBase64Url, false);
}
std::string base64_encode(std::string_view bytes) {
  return encode64(bytes, kBase64, true);
}

std::optional<std::string> base64url_decode(std::string_view text) {
  return decode64(text, kBase64Url);
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && !text.empty() && text.back() == '='; ++i) text.remove_suffix(1);
  return decode64(text, kBase64);
}

namespace {

uint64_t load_eight(const char* p) {
  uint64_t eight = 0;
  std::memcpy(&eight, p, sizeof eight);
  return eight;
}

// Not 0 if one of eight bytes needs an escape or is no ASCII.
uint64_t stops(uint64_t eight) {
  constexpr uint64_t kOnes = 0x0101010101010101u;
  constexpr uint64_t kHigh = 0x8080808080808080u;
  const auto zeros = [](uint64_t v) { return (v - kOnes) & ~v; };  // high bits: bytes that are 0
  return (eight | ((eight - kOnes * ' ') & ~eight) | zeros(eight ^ kOnes * '"') |
          zeros(eight ^ kOnes * '\\') | zeros(eight ^ kOnes * 0x7f)) &
         kHigh;
}

// How many bytes at the start of `text` need no escape.
size_t plain_prefix(std::string_view text) {
  size_t at = 0;
  while (at + 8 <= text.size() && stops(load_eight(text.data() + at)) == 0) at += 8;
  while (at < text.size() && needs_no_escape(text[at])) ++at;
  return at;
}

}  // namespace

// Eight bytes at a time, as most texts are names and words; the last eight may overlap those
// before.
bool plain_json(std::string_view text) {
  if (text.size() < 8) return plain_prefix(text) == text.size();
  const char* const last = text.data() + text.size() - 8;
  for (const char* p = text.data(); p < last; p += 8) {
    if (stops(load_eight(p)) != 0) return false;
  }
  return stops(load_eight(last)) == 0;
}

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  if (plain_json(text)) {
    out.append(text).push_back('"');
    return;
  }
  while (!text.empty()) {
    const size_t plain = plain_prefix(text);
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    const size_t n = sequence_length(text);
    const char c = text.front();
    if (n == 0) {
      out += "\xef\xbf\xbd";
    } else if (n > 1) {
      out.append(text.substr(0, n));
    } else if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += "\\u00";
      out.push_back(kHex[static_cast<uint8_t>(c) >> 4]);
      out.push_back(kHex[static_cast<uint8_t>(c) & 15]);
    }
    text.remove_prefix(n == 0 ? 1 : n);
  }
  out.push_back('"');
}

}  // namespace deeppool::base
