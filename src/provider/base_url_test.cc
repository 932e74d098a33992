#include "provider/base_url.h"

#include <gtest/gtest.h>

namespace deeppool::provider {
namespace {

struct Good {
  const char* text;
  bool tls;
  const char* host;
  uint16_t port;
  const char* path;
};

TEST(BaseUrl, TakesCompleteUrls) {
  const Good cases[] = {
      {"https://api.openai.com/v1", true, "api.openai.com", 443, "/v1"},
      {"https://api.openai.com/v1/", true, "api.openai.com", 443, "/v1"},
      {"HTTP://API.Example.com", false, "api.example.com", 80, ""},
      {"http://127.0.0.1:8000/", false, "127.0.0.1", 8000, ""},
      {"http://[::1]:8000/v1", false, "::1", 8000, "/v1"},
      {"https://[2001:DB8::1]", true, "2001:db8::1", 443, ""},
      {"https://h/compatible-mode/v1", true, "h", 443, "/compatible-mode/v1"},
      {"https://h/a%20b", true, "h", 443, "/a%20b"},
      {"http://my_host-1:1", false, "my_host-1", 1, ""},
      {"https://ark.example.com:65535/api/v3", true, "ark.example.com", 65535, "/api/v3"},
  };
  for (const Good& c : cases) {
    const auto url = parse_base_url(c.text);
    ASSERT_TRUE(url.ok()) << c.text << ": " << url.error().message;
    EXPECT_EQ(url->tls, c.tls) << c.text;
    EXPECT_EQ(url->host, c.host) << c.text;
    EXPECT_EQ(url->port, c.port) << c.text;
    EXPECT_EQ(url->path_prefix, c.path) << c.text;
  }
}

struct Bad {
  std::string text;
  const char* says;
};

TEST(BaseUrl, RefusesTheRestAndSaysWhy) {
  const Bad cases[] = {
      {"", "needed"},
      {"api.openai.com/v1", "https://"},
      {"ftp://h/v1", "https://"},
      {"https:/h", "https://"},
      {"https://", "no host"},
      {"https:///v1", "no host"},
      {"https://:443/v1", "no host"},
      {"https://user:secret@h/v1", "user or password"},
      {"https://user@h/v1", "user or password"},
      {"https://h/v1?key=1", "query"},
      {"https://h?x", "query"},
      {"https://h/v1#top", "fragment"},
      {"https://h:0/v1", "port"},
      {"https://h:65536/v1", "port"},
      {"https://h:/v1", "port"},
      {"https://h:80x/v1", "port"},
      {"https://h:-1/v1", "port"},
      {"https://[::1/v1", "]"},
      {"https://[::1]x/v1", "port"},
      {"https://[::g]/v1", "valid"},
      {"https://a..b/v1", "valid"},
      {"https://.a/v1", "valid"},
      {"https://a%41/v1", "valid"},
      {"https://h/a b", "white space"},
      {" https://h/a", "white space"},
      {"https://h/a\r\nX: y", "white space"},
      {std::string("https://h/a\0b", 13), "control"},
      {"https://h\xc3\xa9/", "xn--"},
      {"https://h\\@evil/", "backslash"},
      {"https://h/../v1", ". or .."},
      {"https://h/./v1", ". or .."},
      {"https://h//v1", "empty segments"},
      {"https://h/%zz", "percent-encoded"},
      {"https://h/a\"b", "percent-encoded"},
      {"https://" + std::string(300, 'a'), "valid"},
      {"https://h/" + std::string(kMaxBaseUrlBytes, 'a'), "longer"},
  };
  for (const Bad& c : cases) {
    const auto url = parse_base_url(c.text);
    ASSERT_FALSE(url.ok()) << c.text;
    EXPECT_EQ(url.error().code, ErrorCode::invalid_request) << c.text;
    EXPECT_EQ(url.error().param, "endpoint") << c.text;
    EXPECT_NE(url.error().message.find(c.says), std::string::npos)
        << c.text << ": " << url.error().message;
    EXPECT_EQ(url.error().message.find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace deeppool::provider
