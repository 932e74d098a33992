#include "http/client/address_class.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

namespace deeppool::http {
namespace {

using V6 = std::array<uint8_t, 16>;

struct Range4 {
  uint32_t first;
  int bits;
};
constexpr uint32_t v4(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}
constexpr Range4 kReserved4[] = {
    {v4(0, 0, 0, 0), 8},        // this host
    {v4(10, 0, 0, 0), 8},       // private
    {v4(100, 64, 0, 0), 10},    // shared by carriers
    {v4(127, 0, 0, 0), 8},      // loopback
    {v4(169, 254, 0, 0), 16},   // link-local, and the metadata of clouds
    {v4(172, 16, 0, 0), 12},    // private
    {v4(192, 0, 0, 0), 24},     // protocols
    {v4(192, 0, 2, 0), 24},     // documentation
    {v4(192, 88, 99, 0), 24},   // relays from IPv6
    {v4(192, 168, 0, 0), 16},   // private
    {v4(198, 18, 0, 0), 15},    // benchmarks
    {v4(198, 51, 100, 0), 24},  // documentation
    {v4(203, 0, 113, 0), 24},   // documentation
    {v4(224, 0, 0, 0), 4},      // multicast
    {v4(240, 0, 0, 0), 4},      // reserved, and broadcast
};

bool public_v4(uint32_t address) {
  return std::ranges::none_of(kReserved4, [address](const Range4& range) {
    return (address ^ range.first) >> (32 - range.bits) == 0;
  });
}

bool has_prefix(const V6& address, std::initializer_list<uint8_t> prefix) {
  return std::ranges::equal(prefix, std::span(address).first(prefix.size()));
}

uint32_t v4_at(const V6& address, size_t byte) {
  return v4(address[byte], address[byte + 1], address[byte + 2], address[byte + 3]);
}

bool public_v6(const V6& a) {
  if (has_prefix(a, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff})) return public_v4(v4_at(a, 12));
  if (has_prefix(a, {0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) {
    return public_v4(v4_at(a, 12));  // NAT64 (RFC 6052)
  }
  if (has_prefix(a, {0x20, 0x02})) return public_v4(v4_at(a, 2));  // 6to4 (RFC 3056)
  if (a[0] >> 5 != 1) return false;  // 2000::/3 is all that is given out to the internet
  if (a[0] == 0x20 && a[1] == 0x01 && a[2] < 0x02) return false;  // 2001::/23, Teredo among them
  if (has_prefix(a, {0x20, 0x01, 0x0d, 0xb8})) return false;      // documentation
  return !(a[0] == 0x3f && a[1] == 0xff && a[2] < 0x10);          // documentation, 3fff::/20
}

}  // namespace

bool is_public(const async::Address& address) {
  if (address.storage.ss_family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(&address.storage);
    return public_v4(ntohl(in->sin_addr.s_addr));
  }
  if (address.storage.ss_family != AF_INET6) return false;
  const auto* in = reinterpret_cast<const sockaddr_in6*>(&address.storage);
  V6 bytes;
  std::memcpy(bytes.data(), &in->sin6_addr, bytes.size());
  return public_v6(bytes);
}

}  // namespace deeppool::http
