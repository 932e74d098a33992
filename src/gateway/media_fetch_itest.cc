// Fetches over real sockets. Servers of this machine are the private network that must not be
// reached, and the internet where a test allows it.
#include <gtest/gtest.h>

#include "async/listener.h"
#include "async/task_group.h"
#include "gateway/limits.h"
#include "gateway/media_fetch.h"

namespace deeppool::gateway {
namespace {

constexpr std::string_view kPng = "\x89PNG\r\n\x1a\n...";

TEST(MediaUrl, SpellingsAndFaults) {
  const struct {
    const char* url;
    const char* origin;  // host:port and target; empty: refused
  } cases[] = {
      {"https://example.com/a.png?x=1&y=%20#frag", "example.com:443/a.png?x=1&y=%20"},
      {"http://example.com", "example.com:80/"},
      {"HTTPS://EXAMPLE.com:8443?q", "example.com:8443/?q"},
      {"https://[::1]:9/x", "::1:9/x"},
      {"https://example.com/\xc3\xa9", "example.com:443/%C3%A9"},
      {"https://user:pw@example.com/", ""},
      {"https://example.com@10.0.0.1/", ""},
      {"https://example.com/a b", ""},
      {"https://example.com/a\r\nX: y", ""},
      {"https://example.com\\@10.0.0.1/", ""},
      {"file:///etc/passwd", ""},
      {"ftp://example.com/x", ""},
      {"gopher://127.0.0.1:6379/_x", ""},
      {"https:///x", ""},
      {"//example.com/x", ""},
      {"", ""},
  };
  for (const auto& c : cases) {
    const Result<MediaUrl> made = MediaUrl::parse(c.url);
    const std::string text =
        !made ? std::string()
              : made->origin.host + ":" + std::to_string(made->origin.port) + made->target;
    EXPECT_EQ(text, c.origin) << c.url;
  }
}

base::Deadline in(base::Duration d) {
  return {std::chrono::steady_clock::now() + d};
}

std::string answer(int status, std::string_view fields, std::string_view body) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + std::string(fields) +
         "Connection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

// Answers every connection's one request with the next of `answers`, and the last one from then on.
class Site {
 public:
  Site(async::Loop& loop, std::vector<std::string> answers)
      : answers_(std::move(answers)), tasks_(loop) {
    listener_ = std::move(*async::Listener::open(loop, *async::Address::from_ip("127.0.0.1", 0)));
    tasks_.spawn(accept());
  }
  std::string url(std::string_view path = "/x.png") const {
    return "http://127.0.0.1:" + std::to_string(listener_->port()) + std::string(path);
  }
  int connections() const { return static_cast<int>(sockets_.size()); }
  Task<void> stop() {
    listener_->close();
    for (auto& socket : sockets_) socket->abort();
    co_await tasks_.join(in(std::chrono::seconds(5)));
  }

 private:
  Task<void> accept() {
    while (true) {
      auto next = co_await listener_->accept();
      if (!next) co_return;
      const size_t i = std::min(sockets_.size(), answers_.size() - 1);
      sockets_.push_back(std::move(next->socket));
      tasks_.spawn(play(sockets_.back().get(), &answers_[i]));
    }
  }
  Task<void> play(async::Socket* socket, std::string* text) {
    char buffer[4096];
    Result<size_t> n = co_await socket->read(buffer, in(std::chrono::seconds(5)));
    if (!n || *n == 0) co_return;
    iovec part{text->data(), text->size()};
    Result<void> done = co_await socket->write({&part, 1}, in(std::chrono::seconds(5)));
    (void)done;
  }

  std::vector<std::string> answers_;
  std::unique_ptr<async::Listener> listener_;
  std::vector<std::unique_ptr<async::Socket>> sockets_;
  async::TaskGroup tasks_;
};

class MediaFetch : public testing::Test {
 protected:
  struct Outcome {
    Result<Media> media = Error(ErrorCode::internal, "nothing was fetched");
    int connections = 0;
  };

  // Fetches `url` (empty: the site's own) from a site with these answers.
  Outcome fetch(http::Reach reach, std::vector<std::string> answers, std::string url = {}) {
    room_ = kMaxInlinedBodyBytes;
    return fetch_into_room(reach, std::move(answers), std::move(url));
  }
  Outcome fetch_into_room(http::Reach reach, std::vector<std::string> answers, std::string url) {
    Outcome outcome;
    async::Loop loop;
    async::TaskGroup group(loop);
    loop.post([&] {
      group.spawn([&]() -> Task<void> {
        Site site(loop, answers);
        {
          http::Client client(loop, pool_, contexts_, proxy_, reach);
          async::CancelScope scope;
          const std::string target = url.empty() ? site.url() : url;
          outcome.media =
              co_await fetch_media(client, target, in(std::chrono::seconds(5)), scope, room_);
        }
        outcome.connections = site.connections();
        co_await site.stop();
        loop.stop();
      });
    });
    loop.run();
    return outcome;
  }

  async::BlockingPool pool_{"test", 1, 8};
  http::TlsContexts contexts_;
  http::Proxy proxy_;
  size_t room_ = 0;
};

TEST_F(MediaFetch, WhatAnswersBecome) {
  const std::string png = answer(200, "Content-Type: image/PNG; x=1\r\n", kPng);
  const struct {
    const char* name;
    std::vector<std::string> answers;
    const char* type;     // of what comes; empty: an error
    const char* message;  // in the error
  } cases[] = {
      {"a picture", {png}, "image/png", ""},
      {"its type by its bytes", {answer(200, "", kPng)}, "image/png", ""},
      {"a RIFF that ends early", {answer(200, "", "RIFF12")}, "", "neither a picture"},
      {"a RIFF of another kind", {answer(200, "", "RIFF1234WAVE")}, "", "neither a picture"},
      {"a RIFF of a picture", {answer(200, "", "RIFF1234WEBP")}, "image/webp", ""},
      {"a page", {answer(200, "Content-Type: text/html\r\n", "<p>")}, "", "neither a picture"},
      {"nothing known", {answer(200, "", "hello")}, "", "neither a picture"},
      {"encoded",
       {answer(200, "Content-Type: image/png\r\nContent-Encoding: gzip\r\n", "x")},
       "",
       "encoded"},
      {"missing", {answer(404, "", "")}, "", "status 404"},
      {"moved within the site", {answer(302, "Location: /y.png\r\n", ""), png}, "image/png", ""},
      {"moved to a file",
       {answer(302, "Location: file:///etc/passwd\r\n", "")},
       "",
       "not well-formed"},
      {"moved in circles", {answer(301, "Location: /x.png\r\n", "")}, "", "too often"},
      {"too large",
       {"HTTP/1.1 200 X\r\nContent-Type: image/png\r\n\r\n" + std::string(kMaxMediaBytes + 1, 'x')},
       "",
       "larger than"},
      {"no HTTP", {"hello\r\n\r\n"}, "", "could not be fetched"},
  };
  for (const auto& c : cases) {
    const Outcome outcome = fetch(http::Reach::anywhere, c.answers);
    EXPECT_EQ(outcome.media ? outcome.media->type : std::string(), c.type) << c.name;
    if (outcome.media) continue;
    EXPECT_NE(outcome.media.error().message.find(c.message), std::string::npos)
        << c.name << ": " << outcome.media.error().message;
  }
}

TEST_F(MediaFetch, AllOfARequestShareItsRoom) {
  const std::vector<std::string> png = {answer(200, "Content-Type: image/png\r\n", kPng)};
  room_ = 2 * kPng.size() + 1;
  EXPECT_TRUE(fetch_into_room(http::Reach::anywhere, png, {}).media);
  EXPECT_TRUE(fetch_into_room(http::Reach::anywhere, png, {}).media);
  EXPECT_EQ(room_, 1u);
  const Outcome third = fetch_into_room(http::Reach::anywhere, png, {});
  ASSERT_FALSE(third.media);
  EXPECT_EQ(third.media.error().code, ErrorCode::payload_too_large);
}

// Whatever the spelling, nothing of this machine is connected to, and all doors look the same.
TEST_F(MediaFetch, TheInsideIsOutOfReach) {
  const std::vector<std::string> open = {answer(200, "Content-Type: image/png\r\n", kPng)};
  const Outcome direct = fetch(http::Reach::public_only, open);
  ASSERT_FALSE(direct.media);
  EXPECT_EQ(direct.connections, 0);
  for (const char* url :
       {"http://127.0.0.1:1/", "http://localhost/x", "http://2130706433/x", "http://0x7f000001/x",
        "http://0177.0.0.1/x", "http://127.1/x", "http://0/x", "http://[::1]/x",
        "http://[::ffff:127.0.0.1]/x", "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/x", "http://192.168.1.1/x", "http://100.100.100.200/x",
        "http://[fd00::1]/x", "http://[fe80::1]/x", "http://[64:ff9b::7f00:1]/x"}) {
    const Outcome outcome = fetch(http::Reach::public_only, open, url);
    ASSERT_FALSE(outcome.media) << url;
    EXPECT_EQ(outcome.media.error().code, ErrorCode::invalid_request) << url;
    EXPECT_EQ(outcome.media.error().message, direct.media.error().message) << url;
  }
}

}  // namespace
}  // namespace deeppool::gateway
