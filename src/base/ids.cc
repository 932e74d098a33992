#include "base/ids.h"

#include <algorithm>

#include "base/text.h"

namespace deeppool::base {
namespace {

constexpr int64_t kLastMs = (int64_t{1} << 48) - 1;  // RFC 9562, 5.7: the first 48 bits

void set_time(RequestId& id, int64_t unix_ms) {
  const auto ms = static_cast<uint64_t>(std::clamp<int64_t>(unix_ms, 0, kLastMs));
  for (size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<uint8_t>(ms >> (40 - 8 * i));
}

}  // namespace

RequestId RequestId::make(const Clock& clock, Random& random) {
  RequestId id;
  random.fill(id.bytes);
  set_time(id, base::unix_ms(clock.wall()));
  id.bytes[6] = static_cast<uint8_t>((id.bytes[6] & 0x0f) | 0x70);
  id.bytes[8] = static_cast<uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

RequestId RequestId::first_of(int64_t unix_ms) {
  RequestId id;
  set_time(id, unix_ms);
  return id;
}

RequestId RequestId::last() {
  RequestId id;
  id.bytes.fill(0xff);
  return id;
}

int64_t RequestId::unix_ms() const {
  int64_t ms = 0;
  for (size_t i = 0; i < 6; ++i) ms = ms << 8 | bytes[i];
  return ms;
}

std::array<char, 36> RequestId::spell() const {
  std::array<char, 36> text;
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  char* out = text.data();
  size_t at = 0;
  for (const size_t group : {4, 2, 2, 2, 6}) {
    if (at > 0) *out++ = '-';
    hex_encode_to(out, all.substr(at, group));
    out += 2 * group;
    at += group;
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
