#include "http/middleware/trace_context.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace deeppool::http {
namespace {

bool lower_hex(std::string_view s) {
  return std::all_of(s.begin(), s.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}
bool all_zero(std::string_view s) {
  return s.find_first_not_of('0') == std::string_view::npos;
}

// 00-<32 hex>-<16 hex>-<2 hex>; versions above 00 may go on after another '-'.
bool valid(std::string_view v) {
  if (v.size() < 55 || v[2] != '-' || v[35] != '-' || v[52] != '-') return false;
  const std::string_view version = v.substr(0, 2);
  if (!lower_hex(version) || version == "ff") return false;
  if (version == "00" ? v.size() != 55 : (v.size() > 55 && v[55] != '-')) return false;
  const std::string_view trace = v.substr(3, 32);
  const std::string_view parent = v.substr(36, 16);
  return lower_hex(trace) && lower_hex(parent) && lower_hex(v.substr(53, 2)) && !all_zero(trace) &&
         !all_zero(parent);
}

template <size_t N>
void put_random_hex(char* out, base::Random& random) {
  uint8_t bytes[N];
  random.fill(bytes);
  bytes[0] |= 1;  // never all zero
  base::hex_encode_to(out, {reinterpret_cast<const char*>(bytes), N});
}

}  // namespace

TraceContext TraceContext::from_header(std::optional<std::string_view> traceparent,
                                       base::Random& random) {
  TraceContext context;
  if (traceparent && valid(*traceparent)) {
    std::memcpy(context.trace_id.data(), traceparent->data() + 3, 32);
    context.sampled = (traceparent->at(54) & 1) != 0;
    return context;
  }
  put_random_hex<16>(context.trace_id.data(), random);
  return context;
}

Traceparent TraceContext::child(base::Random& random) const {
  Traceparent value;
  char* const out = value.text.data();
  std::memcpy(out, "00-", 3);
  std::memcpy(out + 3, trace_id.data(), trace_id.size());
  out[35] = '-';
  put_random_hex<8>(out + 36, random);
  std::memcpy(out + 52, sampled ? "-01" : "-00", 3);
  return value;
}

}  // namespace deeppool::http
