// The mock over real sockets: each behaviour seen as bytes by a plain blocking client.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "mock_upstream/server.h"

namespace deeppool::mock {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// A blocking peer that gives up after five seconds without a byte.
class Peer {
 public:
  explicit Peer(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{5, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  }
  ~Peer() { close(fd_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void send(const std::string& bytes) {
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // Until `mark` was seen, the end, or `limit` bytes.
  std::string read_until(const std::string& mark, size_t limit = 64 << 20) {
    std::string got;
    char buffer[65536];
    while (got.size() < limit && (mark.empty() || got.find(mark) == std::string::npos)) {
      const ssize_t n = recv(fd_, buffer, sizeof buffer, 0);
      error_ = n < 0 ? errno : 0;
      if (n <= 0) break;
      got.append(buffer, static_cast<size_t>(n));
    }
    return got;
  }
  std::string read_to_end() { return read_until(""); }
  int error() const { return error_; }

 private:
  int fd_;
  int error_ = 0;
};

std::string request(const std::string& path, const std::string& body,
                    const std::string& fields = "") {
  return "POST " + path + " HTTP/1.1\r\nHost: mock\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string chat_body(const std::string& model, const std::string& more) {
  return R"({"model":")" + model + R"(","messages":[{"role":"user","content":"hi nonce-7 you"}])" +
         more + "}";
}

struct Row {
  const char* model;
  const char* more;
  std::vector<std::string> has;
  std::vector<std::string> lacks = {};
};

class MockTest : public testing::Test {
 protected:
  void SetUp() override {
    auto started = MockServer::start({});
    ASSERT_TRUE(started.ok());
    mock_ = *std::move(started);
  }
  // One exchange on its own connection; the answer without its end of connection.
  std::string ask(const std::string& model, const std::string& more) {
    Peer peer(mock_->port());
    peer.send(request("/v1/chat/completions", chat_body(model, more), "Connection: close\r\n"));
    std::string got = peer.read_to_end();
    error_ = peer.error();
    return got;
  }
  std::string talk(const std::string& path, const std::string& body,
                   const std::string& fields = "") {
    Peer peer(mock_->port());
    peer.send(request(path, body, fields + "Connection: close\r\n"));
    return peer.read_to_end();
  }
  void expect(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      const std::string got = ask(row.model, row.more);
      for (const std::string& part : row.has) EXPECT_THAT(got, HasSubstr(part)) << row.model;
      for (const std::string& part : row.lacks) EXPECT_THAT(got, Not(HasSubstr(part))) << row.model;
    }
  }
  std::unique_ptr<MockServer> mock_;
  int error_ = 0;
};

constexpr const char* kStream = R"(,"stream":true,"max_tokens":2)";
constexpr const char* kStreamUsage =
    R"(,"stream":true,"max_tokens":2,"stream_options":{"include_usage":true})";

TEST_F(MockTest, AnswersInTheStyleAskedFor) {
  expect({
      {"mock", "", {"\"content\":\"w1 w2", "\"finish_reason\":\"stop\"", "\"total_tokens\":19"}},
      {"mock", R"(,"max_tokens":1)", {"\"content\":\"w1\"", "\"length\"", "\"total_tokens\":4"}},
      {"mock",
       kStream,
       {"text/event-stream", "data: {", "\" w2\"", "[DONE]\n\n", "\r\n0\r\n\r\n"},
       {"\"usage\""}},
      {"mock", kStreamUsage, {"\"usage\":null", "\"choices\":[],\"usage\":{\"prompt_tokens\":3"}},
      {"mock-crlf", kStream, {"}\r\n\r\n\r\n"}},
      {"mock-cr", kStream, {"}\r\r\r\n"}},
      {"mock-no-space", kStream, {"data:{"}, {"data: "}},
      {"mock-multi-line", kStream, {",\ndata: \"object\""}},
      {"mock-ping", kStream, {"event: ping\ndata: {\"type\":\"ping\"}\n\n"}},
      {"mock-event-ping", kStream, {"event: ping\n\ndata: {"}},
      {"mock-bom", kStream, {"\xef\xbb\xbf"}},
      {"mock-id-lines", kStream, {"id: 7\ndata: {"}},
      {"mock-retry-line", kStream, {"retry: 3000\n\n"}},
      {"mock-empty-data", kStream, {"data:\n\n"}},
      {"mock-byte-drip", kStream, {"1\r\nd\r\n1\r\na\r\n"}},
      {"mock-no-last-blank", kStream, {"\"finish_reason\":\"length\"}]}\n\r\n0\r\n"}, {"[DONE]"}},
      {"mock-no-done", kStream, {"\"length\""}, {"[DONE]"}},
      {"mock-data-after-done", kStream, {"[DONE]\n\ndata: {\"id\":\"late\""}},
      {"mock-no-usage", kStreamUsage, {"[DONE]"}, {"\"usage\""}},
      {"mock-no-usage", "", {"\"choices\""}, {"\"usage\""}},
      {"mock-usage-on-finish", kStream, {"\"length\"}],\"usage\":{\"prompt_tokens\":3"}},
      {"mock-usage-every-chunk", kStream, {"\"completion_tokens\":1,", "\"completion_tokens\":2,"}},
      {"mock-zero-usage", kStream, {"\"prompt_tokens\":0,\"completion_tokens\":0"}},
      {"mock-garbage-usage", kStream, {"\"prompt_tokens\":\"many\""}},
      {"mock-no-role", kStream, {"w1"}, {"assistant"}},
      {"mock-no-finish", kStream, {"[DONE]"}, {"\"length\"", "\"stop\""}},
      {"mock-no-choices", kStream, {"usage-only"}},
  });
}

TEST_F(MockTest, BreaksOffAndSaysOtherThings) {
  expect({
      {"mock-cut:after=1", kStream, {"w1", "100\r\ndata: {\"id\":\"cut"}, {"w2", "0\r\n\r\n"}},
      {"mock-error-event:after=1", kStream, {"w1", "data: {\"error\":{\"message\""}, {"[DONE]"}},
      {"mock-tool-calls:end=cut,after=2", kStream, {"get_weather", "{\"id\":\"cut"}, {"[DONE]"}},
      {"mock-error-text", kStream, {"data: {\"error\":\"the engine died\"}"}},
      {"mock-flood:tokens=2000", R"(,"stream":true)", {"w2000", "[DONE]"}},
      {"mock-tool-calls", "", {"\"tool_calls\":[{\"id\":\"call_", "{\\\"city\\\":\\\"Paris\\\"}"}},
      {"mock-tool-calls",
       kStream,
       {"\"index\":0,\"id\":\"call_", "\"finish_reason\":\"tool_calls\""}},
      {"mock-tool-no-type", kStream, {"tool_calls"}, {"\"type\":\"function\""}},
      {"mock-tool-no-index", kStream, {"tool_calls\":[{\"id\""}},
      {"mock-reasoning", "", {"\"reasoning_content\":\"I think, ", "\"reasoning_tokens\":4"}},
      {"mock-json", "", {R"({\"answer\":\"mock\",\"count\":1})"}},
      {"mock-json",
       R"(,"response_format":{"type":"json_schema","json_schema":{"name":"s","schema":
        {"type":"object","properties":{"x":{"type":"integer"}}}}})",
       {R"({\"x\":1})"}},
      {"mock-vision", "", {"I see 0 images."}},
      {"mock-demo:chunk_ms=0", "", {"Hello from the demo model! I am a script"}},
      {"mock-demo:chunk_ms=0", kStream, {R"("content":" demo")"}},
      {"mock-nonce:tokens=2", "", {"\"nonce-7 nonce-7 \""}},
      {"mock-echo", R"(,"odd_field":1)", {R"(\"odd_field\":1)"}},
      {"mock-echo-headers", "", {R"(\"host\":\"mock\")"}},
  });
}

TEST_F(MockTest, GoesOnWithAnAnswer) {
  for (const char* more : {R"(,"prefix":true}]})", R"(}],"continue_final_message":true})"}) {
    const std::string body = R"({"model":"mock:tokens=4","seed":1,"temperature":0,"messages":[)"
                             R"({"role":"user","content":"hi"},)"
                             R"({"role":"assistant","content":"w1 w2")" +
                             std::string(more);
    EXPECT_THAT(talk("/v1/chat/completions", body), HasSubstr(R"("content":" w3 w4")"));
  }
}

TEST_F(MockTest, SpeaksAnthropic) {
  const auto say = [this](const std::string& model, const std::string& more = "") {
    return talk("/v1/messages",
                R"({"model":")" + model +
                    R"(","max_tokens":20,"messages":[{"role":"user","content":"hi nonce-7 you"}])" +
                    more + "}",
                "x-api-key: k\r\nanthropic-version: 2023-06-01\r\n");
  };
  const std::string stream = R"(,"stream":true)";
  EXPECT_THAT(say("mock:tokens=2,cached=1"),
              AllOf(HasSubstr(R"("content":[{"type":"text","text":"w1 w2"}],)"
                              R"("stop_reason":"end_turn")"),
                    HasSubstr(R"("input_tokens":2,)"), HasSubstr(R"("output_tokens":2,)")));
  EXPECT_THAT(say("mock:tokens=2", stream),
              AllOf(HasSubstr("event: message_start\ndata: {\"type\":\"message_start\""),
                    HasSubstr(R"({"type":"text_delta","text":" w2"})"), HasSubstr("event: ping\n"),
                    HasSubstr(R"("delta":{"stop_reason":"end_turn","stop_sequence":null},)"
                              R"("usage":{"output_tokens":2}})"),
                    HasSubstr("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"),
                    Not(HasSubstr("[DONE]"))));
  EXPECT_THAT(say("mock-thinking-tools:calls=2", stream),
              AllOf(HasSubstr(R"("type":"thinking_delta","thinking":"I think, ")"),
                    HasSubstr(R"("type":"signature_delta","signature":")"),
                    HasSubstr(R"("index":2,"content_block":{"type":"tool_use","id":"toolu_)"),
                    HasSubstr(R"("stop_reason":"tool_use")")));
  EXPECT_THAT(
      say("mock-thinking-tools:redacted=1"),
      AllOf(HasSubstr(R"("type":"redacted_thinking")"), HasSubstr(R"("input":{"city":"Paris"})")));
  EXPECT_THAT(say("mock-ok:finish=pause_turn"), HasSubstr(R"("stop_reason":"pause_turn")"));
  EXPECT_THAT(say("mock-refusal"), HasSubstr(R"("stop_reason":"refusal")"));
  EXPECT_THAT(
      say("mock-error-event:after=1", stream),
      HasSubstr("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\""));
  EXPECT_THAT(say("mock-status-529:retry-after=3"),
              AllOf(HasSubstr("retry-after: 3"), HasSubstr(R"("type":"overloaded_error")")));
  EXPECT_THAT(say("mock-insufficient-quota"), HasSubstr("credit balance is too low"));
  EXPECT_THAT(say("mock", R"(,"n":2)"), HasSubstr("n: Extra inputs are not permitted"));
  EXPECT_THAT(talk("/v1/messages/count_tokens",
                   R"({"model":"mock","messages":[{"role":"user","content":"a b"}]})",
                   "x-api-key: k\r\nanthropic-version: 2023-06-01\r\n"),
              HasSubstr(R"({"input_tokens":2})"));
}

TEST_F(MockTest, SpeaksGemini) {
  const auto say = [this](const std::string& method, const std::string& more = "") {
    return talk("/v1beta/models/" + method,
                R"({"contents":[{"role":"user","parts":[{"text":"hi nonce-7 you"}]}])" + more + "}",
                "x-goog-api-key: k\r\n");
  };
  const std::string stream = ":streamGenerateContent?alt=sse";
  EXPECT_THAT(
      say("mock:tokens=2,cached=1:generateContent"),
      AllOf(HasSubstr(R"({"parts":[{"text":"w1 w2"}],"role":"model"},"finishReason":"STOP")"),
            HasSubstr(R"("promptTokenCount":3,"candidatesTokenCount":2,)"),
            HasSubstr(R"("cachedContentTokenCount":1)")));
  EXPECT_THAT(say("mock:tokens=2" + stream),
              AllOf(HasSubstr(R"(data: {"candidates":[{"content":{"parts":[{"text":" w2"}])"),
                    HasSubstr(R"("totalTokenCount":5)"), Not(HasSubstr("[DONE]"))));
  EXPECT_THAT(say("mock-reasoning:tokens=2:generateContent"),
              AllOf(HasSubstr(R"("thought":true)"), HasSubstr(R"("thoughtsTokenCount":4)"),
                    HasSubstr(R"("candidatesTokenCount":2)")));
  EXPECT_THAT(say("mock-tool-calls:calls=2" + stream),
              AllOf(HasSubstr(R"({"functionCall":{"name":"get_weather","args":{"city":"Paris"}},)"
                              R"("thoughtSignature":")"),
                    HasSubstr(R"("finishReason":"STOP")")));
  EXPECT_THAT(say("mock-blocked:generateContent"),
              HasSubstr(R"({"promptFeedback":{"blockReason")"));
  EXPECT_THAT(say("mock-error-event:after=1" + stream),
              HasSubstr(R"(data: {"error":{"code":500,"message":)"));
  EXPECT_THAT(say("mock-bad-key:generateContent"),
              AllOf(HasSubstr("HTTP/1.1 400 "), HasSubstr("API key not valid")));
  EXPECT_THAT(say("mock-json:generateContent",
                  R"(,"generationConfig":{"responseMimeType":"application/json","responseSchema":)"
                  R"({"type":"OBJECT","properties":{"x":{"type":"INTEGER"}}}})"),
              HasSubstr(R"({\"x\":1})"));
}

TEST_F(MockTest, IsWrongAsHttp) {
  expect({
      {"mock-status-429:retry-after=2",
       "",
       {"HTTP/1.1 429 ", "retry-after: 2\r\n", "rate_limit_exceeded"}},
      {"mock-status-529", kStream, {"HTTP/1.1 529 ", "\"error\":{\"message\""}},
      {"mock-insufficient-quota", "", {"HTTP/1.1 429 ", "\"insufficient_quota\""}},
      {"mock-error-200", kStream, {"HTTP/1.1 200 ", "{\"error\":{"}, {"event-stream"}},
      {"mock-garbage", "", {"this is not HTTP"}},
      {"mock-informational:count=3", "", {"103 Early", "HTTP/1.1 200"}},
      {"mock-redirect", "", {"302 Found", "Location: http://169.254.169.254"}},
      {"mock-no-content-type", "", {"w1"}, {"Content-Type"}},
      {"mock-http10", "", {"HTTP/1.0 200 OK"}, {"Content-Length"}},
      {"mock-both-lengths", "", {"Content-Length: 2\r\nTransfer-Encoding: chunked"}},
      {"mock-bad-chunk", "", {"zz\r\n"}},
      {"mock-gzip", "", {"Content-Encoding: gzip", "\x1f\x8b\x08"}},
      {"mock-invalid-utf8", kStream, {"caf\xe9"}},
      {"mock-bad-json", "", {"NaN"}},
      {"mock-slow-head:piece_ms=0", "", {"HTTP/1.1 200 OK", "w1"}},
  });
}

TEST_F(MockTest, SendsMoreThanParsersTake) {
  EXPECT_GT(ask("mock-huge-line", kStream).size(), 8u << 20);
  EXPECT_GT(ask("mock-huge-header", "").size(), 64u << 10);
  EXPECT_THAT(ask("mock-many-headers", ""), HasSubstr("x-h9999: v\r\n"));
}

TEST_F(MockTest, LiesAboutLengths) {
  for (const char* model :
       {"mock-length-short", "mock-length-long", "mock-cut", "mock-truncated-json"}) {
    const std::string got = ask(model, "");
    const size_t at = got.find("Content-Length: ") + 16;
    const size_t said = std::stoul(got.substr(at));
    const size_t sent = got.size() - (got.find("\r\n\r\n") + 4);
    if (std::string(model) == "mock-length-short") {
      EXPECT_GT(sent, said);
    } else if (std::string(model) == "mock-truncated-json") {
      EXPECT_EQ(sent, said);
    } else {
      EXPECT_LT(sent, said) << model;
    }
  }
}

TEST_F(MockTest, ResetsAndClosesWithoutAnAnswer) {
  EXPECT_THAT(ask("mock-reset:after=1", kStream), HasSubstr("w1"));
  EXPECT_EQ(error_, ECONNRESET);
  EXPECT_EQ(ask("mock-close", ""), "");
  EXPECT_EQ(error_, 0);
}

TEST_F(MockTest, KeepsConnectionsAndServesPipelinedRequests) {
  Peer peer(mock_->port());
  const std::string one = request("/chat/completions", chat_body("mock:tokens=1", ""));
  peer.send(one + one);
  const std::string tail = "\"fp_mock\"}";
  std::string got = peer.read_until(tail);
  if (got.find(tail) == got.rfind(tail)) got += peer.read_until(tail);
  EXPECT_NE(got.find(tail), got.rfind(tail));
  EXPECT_EQ(mock_->stats().connections, 1);
}

TEST_F(MockTest, ReadsChunkedBodies) {
  Peer peer(mock_->port());
  const std::string body = chat_body("mock-echo", "");
  char size[16];
  snprintf(size, sizeof size, "%zx", body.size() - 5);
  peer.send(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: m\r\nConnection: close\r\n"
      "Transfer-Encoding: chunked\r\n\r\n5\r\n" +
      body.substr(0, 5) + "\r\n" + size + "\r\n" + body.substr(5) + "\r\n0\r\n\r\n");
  EXPECT_THAT(peer.read_to_end(), HasSubstr("nonce-7 you"));
}

TEST_F(MockTest, FailsAShareOfTheRequests) {
  const auto failed = [&](const char* model) {
    int count = 0;
    for (int i = 0; i < 40; ++i) {
      Peer peer(mock_->port());
      peer.send(request("/v1/chat/completions", chat_body(model, ""),
                        "x-request-id: r" + std::to_string(i) + "\r\nConnection: close\r\n"));
      if (peer.read_to_end().starts_with("HTTP/1.1 500 ")) ++count;
    }
    return count;
  };
  EXPECT_EQ(failed("mock-flaky:percent=0"), 0);
  EXPECT_EQ(failed("mock-flaky:percent=100"), 40);
  const int half = failed("mock-flaky");
  EXPECT_THAT(half, ::testing::AllOf(::testing::Ge(8), ::testing::Le(32)));
}

TEST_F(MockTest, ServesTheOtherRoutes) {
  struct Other {
    const char* path;
    const char* body;
    const char* has;
  };
  const Other rows[] = {
      {"/v1/completions", R"({"model":"mock:tokens=2","prompt":"a b"})", R"("text":"w1 w2")"},
      {"/v1/completions", R"({"model":"mock","prompt":[1,2,3],"stream":true})", R"("text":" w2")"},
      {"/embeddings", R"({"model":"m","input":["a b","c"],"dimensions":2})",
       R"("index":1,"embedding":[)"},
      {"/embeddings", R"({"model":"m","input":"a","encoding_format":"base64","dimensions":2})",
       R"("embedding":"AAAAvwAAyL4=")"},
      {"/v1/embeddings", R"({"model":"m","input":[[1,2],[3]]})", R"("prompt_tokens":3)"},
      {"/v1/chat/completions", "{", "HTTP/1.1 400 "},
      {"/v1/nothing", "{}", "HTTP/1.1 404 "},
  };
  for (const Other& row : rows) {
    Peer peer(mock_->port());
    peer.send(request(row.path, row.body, "Connection: close\r\n"));
    EXPECT_THAT(peer.read_to_end(), HasSubstr(row.has)) << row.path << row.body;
  }
  Peer peer(mock_->port());
  peer.send("GET /v1/models HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(peer.read_to_end(), HasSubstr("\"owned_by\":\"mock\""));
}

TEST_F(MockTest, NoticesThatThePeerHasGone) {
  for (const char* model :
       {"mock-never-ending", "mock-half-open", "mock-no-answer", "mock-flood-forever"}) {
    const int64_t before = mock_->stats().peer_closed;
    {
      Peer peer(mock_->port());
      peer.send(request("/v1/chat/completions", chat_body(model, kStream)));
      if (std::string(model) != "mock-no-answer") {
        EXPECT_THAT(peer.read_until("w2"), HasSubstr("w2")) << model;
      }
    }
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (mock_->stats().peer_closed == before && std::chrono::steady_clock::now() < give_up) {
      std::this_thread::yield();
    }
    EXPECT_EQ(mock_->stats().peer_closed, before + 1) << model;
  }
}

TEST(MockJournal, TellsWhatWasSentAndHowItEnded) {
  const std::string path = testing::TempDir() + "mock_journal_" + std::to_string(getpid());
  {
    auto mock = *MockServer::start({.journal = path});
    for (const char* model : {"mock", "mock-cut:after=1"}) {
      Peer peer(mock->port());
      peer.send(request("/v1/chat/completions", chat_body(model, kStreamUsage),
                        "x-request-id: abc\r\nConnection: close\r\n"));
      peer.read_to_end();
    }
  }
  std::ifstream file(path);
  std::string first;
  std::string second;
  std::getline(file, first);
  std::getline(file, second);
  EXPECT_THAT(first, HasSubstr(R"("request_id":"abc")"));
  EXPECT_THAT(first, HasSubstr(R"("prompt_tokens":3,"completion_tokens":2,)"));
  EXPECT_THAT(second, HasSubstr(R"("events":2,"prompt_tokens":3,"completion_tokens":1,)"));
  unlink(path.c_str());
}

}  // namespace
}  // namespace deeppool::mock
