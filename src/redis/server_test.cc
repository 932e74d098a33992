#include "redis/server.h"

#include <gtest/gtest.h>

namespace deeppool::redis {
namespace {

TEST(ParseUrl, ReadsEveryPart) {
  const struct {
    const char* url;
    Server::Security security;
    const char* host;
    uint16_t port;
    const char* user;
    const char* password;
    int64_t database;
  } cases[] = {
      {"redis://cache", Server::Security::plain, "cache", 6379, "", "", 0},
      {"redis://cache:7000/3", Server::Security::plain, "cache", 7000, "", "", 3},
      {"redis://cache/", Server::Security::plain, "cache", 6379, "", "", 0},
      {"rediss://:p%40ss@10.0.0.1", Server::Security::tls, "10.0.0.1", 6379, "", "p@ss", 0},
      {"redis://app:a@b@[::1]:1", Server::Security::plain, "::1", 1, "app", "a@b", 0},
  };
  for (const auto& c : cases) {
    const auto server = parse_url(c.url);
    ASSERT_TRUE(server.ok()) << c.url << ": " << server.error().message;
    EXPECT_EQ(server->security, c.security) << c.url;
    EXPECT_EQ(server->host, c.host) << c.url;
    EXPECT_EQ(server->port, c.port) << c.url;
    EXPECT_EQ(server->user, c.user) << c.url;
    EXPECT_EQ(server->password, c.password) << c.url;
    EXPECT_EQ(server->database, c.database) << c.url;
  }
}

TEST(ParseUrl, SaysWhatIsWrongWithoutRepeatingIt) {
  for (const char* url :
       {"", "cache:6379", "http://cache", "redis://", "redis://secret@cache", "redis://:@cache",
        "redis://a:%zz@cache", "redis://cache:port", "redis://cache:0", "redis://cache:70000",
        "redis://cache/x", "redis://cache/-1", "redis://[::1", "redis://[::1]x6379"}) {
    const auto server = parse_url(url);
    ASSERT_FALSE(server.ok()) << url;
    EXPECT_EQ(server.error().code, ErrorCode::invalid_request);
    EXPECT_EQ(server.error().message.find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace deeppool::redis
