#include "http/client/address_class.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

namespace deeppool::http {
namespace {

std::string format(const char* pattern, uint32_t a, uint32_t b = 0, uint32_t c = 0,
                   uint32_t d = 0) {
  char text[128];
  std::snprintf(text, sizeof text, pattern, a, b, c, d);
  return text;
}

// The ways in which a host can spell an IPv4 address, in a URL or through IPv6.
std::vector<std::string> spellings(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  const uint32_t whole = a << 24 | b << 16 | c << 8 | d;
  const uint32_t high = a << 8 | b;
  const uint32_t low = c << 8 | d;
  return {format("%u.%u.%u.%u", a, b, c, d),
          format("%u", whole),
          format("0x%x", whole),
          format("0X%X", whole),
          format("0%o", whole),
          format("%u.%u", a, whole & 0xffffff),
          format("%u.%u.%u", a, b, whole & 0xffff),
          format("0x%x.0x%x.0x%x.0x%x", a, b, c, d),
          format("0%o.0%o.0%o.0%o", a, b, c, d),
          format("000%o.000%o.000%o.000%o", a, b, c, d),
          format("0x%x.%u.0%o.%u", a, b, c, d),
          format("%u.0x%x", a, whole & 0xffffff),
          format("::ffff:%u.%u.%u.%u", a, b, c, d),
          format("::ffff:%x:%x", high, low),
          format("0:0:0:0:0:FFFF:%X:%X", high, low),
          format("::%u.%u.%u.%u", a, b, c, d),
          format("::%x:%x", high, low),
          format("64:ff9b::%u.%u.%u.%u", a, b, c, d),
          format("64:ff9b::%x:%x", high, low),
          format("64:ff9b:1::%x:%x", high, low),
          format("2002:%x:%x::", high, low),
          format("2002:%x:%x::1", high, low),
          format("2001:0:%x:%x::", high, low)};
}

TEST(AddressClass, NoSpellingOfAnInnerAddressIsPublic) {
  const uint32_t inner[][4] = {{0, 0, 0, 0},         {0, 1, 2, 3},         {10, 0, 0, 1},
                               {10, 255, 255, 255},  {100, 64, 0, 1},      {127, 0, 0, 1},
                               {127, 255, 1, 2},     {169, 254, 169, 254}, {172, 16, 0, 1},
                               {172, 31, 255, 1},    {192, 0, 0, 192},     {192, 168, 1, 1},
                               {198, 18, 0, 1},      {198, 19, 255, 1},    {224, 0, 0, 1},
                               {255, 255, 255, 255}, {100, 100, 100, 200}};
  int judged = 0;
  for (const auto& [a, b, c, d] : inner) {
    for (const std::string& host : spellings(a, b, c, d)) {
      const auto found = async::resolve(host, 443);
      if (!found) continue;  // not a spelling to this system: it leads nowhere
      for (const async::Address& address : *found) {
        EXPECT_FALSE(is_public(address)) << host << " is " << address.ip();
        ++judged;
      }
    }
  }
  EXPECT_GE(judged, 300);  // most of them are understood
}

TEST(AddressClass, SpecialAddressesAreNotPublic) {
  for (const char* ip : {"::",
                         "::1",
                         "fe80::1",
                         "febf::1",
                         "fc00::1",
                         "fd00:ec2::254",
                         "fd12:3456::1",
                         "ff02::1",
                         "fec0::1",
                         "100::1",
                         "2001:db8::1",
                         "2001:10::1",
                         "2001:20::1",
                         "2001:1ff::1",
                         "3fff::1",
                         "3fff:fff::1",
                         "5f00::1",
                         "4000::1",
                         "192.0.2.1",
                         "198.51.100.7",
                         "203.0.113.9",
                         "192.88.99.1",
                         "239.1.1.1",
                         "240.0.0.1",
                         "100.127.255.255"}) {
    EXPECT_FALSE(is_public(*async::Address::from_ip(ip, 443))) << ip;
  }
}

TEST(AddressClass, TheInternetIsPublic) {
  for (const char* ip : {"1.1.1.1",         "8.8.8.8",          "9.255.255.255",   "11.0.0.1",
                         "100.63.255.255",  "100.128.0.1",      "126.255.255.255", "128.0.0.1",
                         "169.253.1.1",     "169.255.0.1",      "172.15.1.1",      "172.32.0.1",
                         "192.0.1.1",       "192.167.1.1",      "192.169.0.1",     "198.17.0.1",
                         "198.20.0.1",      "223.255.255.255",  "2606:4700::1111", "2001:200::1",
                         "2001:4860::8888", "2a00::1",          "3ffe::1",         "3fff:1000::1",
                         "::ffff:8.8.8.8",  "64:ff9b::8.8.8.8", "2002:808:808::1"}) {
    EXPECT_TRUE(is_public(*async::Address::from_ip(ip, 443))) << ip;
  }
}

}  // namespace
}  // namespace deeppool::http
