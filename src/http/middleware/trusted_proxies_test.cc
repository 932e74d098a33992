#include "http/middleware/trusted_proxies.h"

#include <gtest/gtest.h>

namespace deeppool::http {
namespace {

TEST(AddressBlock, ParsesAndContains) {
  const struct {
    const char* block;
    const char* ip;
    bool inside;
  } cases[] = {
      {"10.0.0.0/8", "10.255.0.1", true},
      {"10.0.0.0/8", "11.0.0.1", false},
      {"192.168.4.0/22", "192.168.7.255", true},
      {"192.168.4.0/22", "192.168.8.0", false},
      {"127.0.0.1", "127.0.0.1", true},
      {"127.0.0.1", "127.0.0.2", false},
      {"0.0.0.0/0", "8.8.8.8", true},
      {"0.0.0.0/0", "2001:db8::1", false},
      {"::/0", "2001:db8::1", true},
      {"2001:db8::/33", "2001:db8:7fff::1", true},
      {"2001:db8::/33", "2001:db8:8000::1", false},
      {"127.0.0.0/8", "::ffff:127.0.0.9", true},  // the same address, written as IPv6
  };
  for (const auto& c : cases) {
    const auto block = AddressBlock::parse(c.block);
    ASSERT_TRUE(block) << c.block;
    EXPECT_EQ(block->contains(*parse_ip(c.ip)), c.inside) << c.block << " " << c.ip;
  }
  for (const char* bad : {"", "nginx", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0/8",
                          "::1/129", "1.2.3.4.5", "10.0.0.0/8/8"}) {
    EXPECT_FALSE(AddressBlock::parse(bad)) << bad;
  }
}

TEST(Loopback, IsThisMachineOnly) {
  for (const char* ip : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(is_loopback(ip)) << ip;
  }
  for (const char* ip : {"128.0.0.1", "0.0.0.0", "::", "::2", "10.0.0.1", "localhost", ""}) {
    EXPECT_FALSE(is_loopback(ip)) << ip;
  }
}

TEST(TrustedProxies, BelieveOnlyWhatTrustedHopsSay) {
  const auto proxies = TrustedProxies::parse({"10.0.0.0/8", "::1"});
  ASSERT_TRUE(proxies);
  const struct {
    const char* name;
    const char* peer;
    std::vector<const char*> fields;
    const char* client;
  } cases[] = {
      {"no field", "10.0.0.1", {}, "10.0.0.1"},
      {"a stranger's field", "6.6.6.6", {"1.1.1.1"}, "6.6.6.6"},
      {"one hop", "10.0.0.1", {"1.1.1.1"}, "1.1.1.1"},
      {"a forged prefix", "10.0.0.1", {"9.9.9.9, 1.1.1.1"}, "1.1.1.1"},
      {"two trusted hops", "10.0.0.1", {"9.9.9.9, 1.1.1.1, 10.0.0.2"}, "1.1.1.1"},
      {"two fields", "10.0.0.1", {"9.9.9.9", "1.1.1.1,10.0.0.2"}, "1.1.1.1"},
      {"all trusted", "10.0.0.1", {"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
      {"garbage", "10.0.0.1", {"1.1.1.1, unknown"}, "10.0.0.1"},
      {"an empty hop", "10.0.0.1", {"1.1.1.1,"}, "10.0.0.1"},
      {"a port", "::1", {"1.1.1.1:4711"}, "1.1.1.1"},
      {"an IPv6 port", "::1", {"[2001:db8::5]:80"}, "2001:db8::5"},
  };
  for (const auto& c : cases) {
    Headers headers;
    headers.add({"Host", "a"});
    for (const char* field : c.fields) headers.add({"X-Forwarded-For", field});
    EXPECT_EQ(proxies->client_ip(c.peer, headers), c.client) << c.name;
    EXPECT_EQ(TrustedProxies().client_ip(c.peer, headers), c.peer) << c.name;
  }
  EXPECT_FALSE(TrustedProxies::parse({"10.0.0.0/8", "x"}));
}

}  // namespace
}  // namespace deeppool::http
