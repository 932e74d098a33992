#include "base/ids.h"

namespace deeppool::base {

RequestId RequestId::make(const Clock& clock, Random& random) {
  RequestId id;
  random.fill(id.bytes);
  const auto ms = static_cast<uint64_t>(unix_ms(clock.wall()));
  for (int i = 0; i < 6; ++i) id.bytes[i] = static_cast<uint8_t>(ms >> (40 - 8 * i));
  id.bytes[6] = static_cast<uint8_t>((id.bytes[6] & 0x0f) | 0x70);
  id.bytes[8] = static_cast<uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

std::array<char, 36> RequestId::spell() const {
  static constexpr char kHex[] = "0123456789abcdef";
  std::array<char, 36> text;
  size_t at = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text[at++] = '-';
    text[at++] = kHex[bytes[i] >> 4];
    text[at++] = kHex[bytes[i] & 15];
  }
  return text;
}

std::optional<RequestId> RequestId::parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  RequestId id;
  size_t digit = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (c != '-') return std::nullopt;
      continue;
    }
    int v = -1;
    if (c >= '0' && c <= '9') v = c - '0';
    if (c >= 'a' && c <= 'f') v = c - 'a' + 10;
    if (v < 0) return std::nullopt;
    id.bytes[digit / 2] = static_cast<uint8_t>(id.bytes[digit / 2] << 4 | v);
    ++digit;
  }
  return id;
}

}  // namespace deeppool::base
