// The server as a stranger sees it: raw bytes over real sockets, and what must come back.
#include <gtest/gtest.h>

#include <future>
#include <mutex>
#include <thread>

#include "async/parker.h"
#include "async/task_group.h"
#include "http/client/client.h"
#include "http/middleware/stack.h"
#include "testing/certificate.h"
#include "testing/raw_client.h"

namespace deeppool::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::parse_answers;
using testing::RawAnswer;
using testing::RawClient;

constexpr size_t kBodyLimit = 8 * 1024 * 1024;

int status_for(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_request:
      return 400;
    case ErrorCode::unauthenticated:
      return 401;
    case ErrorCode::not_found:
      return 404;
    case ErrorCode::payload_too_large:
      return 413;
    case ErrorCode::unavailable:
      return 503;
    default:
      return 500;
  }
}

// What tests look at from outside the loop.
struct Seen {
  std::mutex mutex;
  std::vector<std::string> ends;  // "/path status", one per finished request
  std::vector<std::string> cancels;
  void end(std::string text) {
    const std::scoped_lock lock(mutex);
    ends.push_back(std::move(text));
  }
  void cancel(std::string text) {
    const std::scoped_lock lock(mutex);
    cancels.push_back(std::move(text));
  }
};

Task<void> echo(Exchange& x) {
  Result<void> sent = co_await x.send(200, "text/plain", x.body.view());
  (void)sent;
}

Task<void> params(Exchange& x) {
  const std::string text = x.params[0] + "|" + x.params[1] + "|" + x.query("q").value_or("-");
  Result<void> sent = co_await x.send(200, "text/plain", text);
  (void)sent;
}

// Says the path's parameter in a field, and another one behind it.
Task<void> say_in_field(Exchange& x) {
  x.add_header("X-Said", "<", x.params[0], ">");
  x.add_header("X-Behind", 1);
  Result<void> sent = co_await x.send(200, "text/plain", "said");
  (void)sent;
}

Task<void> stream(Exchange& x) {
  x.start_stream(200, "text/event-stream");
  for (const char* part : {"one ", "two "}) {
    Result<void> sent = co_await x.flush(part);
    if (!sent) co_return;
  }
  Result<void> sent = co_await x.finish("three");
  (void)sent;
}

// Streams a word, then waits to be cancelled.
Task<void> wait_for_cancel(Exchange& x, Seen& seen) {
  x.start_stream(200, "text/plain");
  Result<void> sent = co_await x.flush("waiting");
  const bool in_time = co_await async::sleep_for(seconds(30), x.scope);
  if (in_time) co_return;
  const bool gone = x.scope.reason() == async::CancelReason::caller_gone;
  seen.cancel(gone ? "gone" : "shutdown");
  if (!gone) sent = co_await x.finish(" cancelled");
}

Task<void> slow(Exchange& x) {
  async::CancelScope never;
  co_await async::sleep_for(milliseconds(300), never);
  Result<void> sent = co_await x.send(200, "text/plain", "slow");
  (void)sent;
}

Task<void> fail(Exchange&) {
  throw std::runtime_error("a secret of ours");
  co_return;
}

std::vector<Route> routes(Seen& seen) {
  return {
      {Method::post, "/echo", Access::anyone, kBodyLimit, echo},
      {Method::post, "/small", Access::anyone, 10, echo},
      {Method::get, "/hello", Access::anyone, 0, echo},
      {Method::get, "/params/{a}/of/{b}", Access::anyone, 0, params},
      {Method::get, "/say/{a}", Access::anyone, 0, say_in_field},
      {Method::get, "/stream", Access::anyone, 0, stream},
      {Method::get, "/wait", Access::anyone, 0,
       [&seen](Exchange& x) { return wait_for_cancel(x, seen); }},
      {Method::get, "/slow", Access::anyone, 0, slow},
      {Method::get, "/fail", Access::anyone, 0, fail},
      {Method::post, "/private", Access::user, kBodyLimit, echo},
      {Method::post, "/v1/chat/completions", Access::api_key, kBodyLimit, echo},
  };
}

// A server on a loop and thread of its own.
class Running {
 public:
  explicit Running(ServerSettings settings = {})
      : router_(routes(seen)),
        pool_("log", 1, 16),
        sink_(*AccessLogSink::open("off")),
        access_log_({loop_, pool_, *sink_, clock_}),
        stack_({clock_, random_, proxies_, access_log_, metrics_}) {
    stack_.install(hooks_);
    hooks_.after = [this](const Exchange& x, const Route* route) {
      stack_.after(x, route);
      seen.end(std::string(x.path()) + " " + std::to_string(x.status()));
    };
    hooks_.authorize = [](Exchange&, Access) -> Task<Result<void>> {
      co_return Error(ErrorCode::unauthenticated, "Who are you?");
    };
    hooks_.may_send_body = [](Exchange& x) {
      return x.head.headers.find("authorization")
                 ? Result<void>()
                 : Result<void>(Error(ErrorCode::unauthenticated, "Whose key?"));
    };
    hooks_.answer_error = [](Exchange& x, Error error) -> Task<void> {
      Result<void> sent = co_await x.send(status_for(error.code), "text/plain", error.message);
      (void)sent;
    };
    server_ = std::make_unique<Server>(loop_, router_, hooks_, std::move(settings));
    port = *server_->listen(*async::Address::from_ip("127.0.0.1", 0));
    control_ = std::make_unique<async::TaskGroup>(loop_);
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Running() { drain(milliseconds(100)); }

  // Returns when the server is gone; how long that took.
  base::Duration drain(base::Duration grace) {
    const auto start = std::chrono::steady_clock::now();
    if (!thread_.joinable()) return {};
    begin_drain(grace);
    thread_.join();
    return std::chrono::steady_clock::now() - start;
  }
  void begin_drain(base::Duration grace) {
    loop_.post([this, grace] { control_->spawn(wind_down(grace)); });
  }
  template <class F>
  auto on_loop(F f) {
    std::promise<decltype(f())> result;
    loop_.post([&] { result.set_value(f()); });
    return result.get_future().get();
  }
  size_t connections() {
    return on_loop([this] { return server_->connections(); });
  }
  // Polls, because the loop learns of a closed connection in its own time.
  bool all_connections_gone() {
    const auto give_up = std::chrono::steady_clock::now() + seconds(5);
    while (connections() > 0 && std::chrono::steady_clock::now() < give_up) {
      std::this_thread::sleep_for(milliseconds(5));
    }
    return connections() == 0;
  }
  int64_t inflight() const { return metrics_.inflight.value(); }

  Seen seen;
  uint16_t port = 0;

 private:
  Task<void> wind_down(base::Duration grace) {
    co_await server_->drain(grace);
    loop_.stop();
  }
  async::Loop loop_;
  base::SystemClock clock_;
  base::SystemRandom random_;
  TrustedProxies proxies_;
  metrics::LoopMetrics metrics_;
  Router router_;
  async::BlockingPool pool_;
  std::unique_ptr<AccessLogSink> sink_;
  AccessLog access_log_;
  Stack stack_;
  ServerHooks hooks_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<async::TaskGroup> control_;
  std::thread thread_;
};

std::string get(const std::string& path, const std::string& fields = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}
std::string post(const std::string& path, const std::string& body, const std::string& fields = "") {
  return "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + fields + "\r\n" + body;
}
const std::string kClose = "Connection: close\r\n";

// Sends `bytes` on a connection of its own and reads until the server closes.
std::vector<RawAnswer> ask(Running& server, std::string_view bytes) {
  RawClient client(server.port);
  client.send(bytes);
  return parse_answers(client.read_to_end());
}

TEST(Server, KeepsConnectionsAlive) {
  Running server;
  RawClient client(server.port);
  for (int i = 0; i < 3; ++i) {
    client.send(post("/echo", "hi"));
    const std::string answer = client.read_until("\r\n\r\nhi");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_EQ(answer.find("Connection: close"), std::string::npos);
  }
  client.send(post("/echo", "bye", kClose));
  const std::string last = client.read_to_end();
  EXPECT_NE(last.find("Connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(last.ends_with("bye"));
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  Running server;
  const auto answers = ask(server, post("/echo", "1") + get("/params/x/of/y") + get("/stream") +
                                       post("/echo", "4", kClose) + get("/hello"));
  ASSERT_EQ(answers.size(), 4u);  // what follows a close is not served
  EXPECT_EQ(answers[0].body, "1");
  EXPECT_EQ(answers[1].body, "x|y|-");
  EXPECT_EQ(answers[2].body, "one two three");
  EXPECT_EQ(answers[3].body, "4");
}

TEST(Server, AnyByteSplitGivesTheSame) {
  Running server;
  const std::string chunked =
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n";
  const std::string text =
      "\r\n" + chunked + "\r\n" + post("/echo", "12345") + get("/hello", kClose);
  for (size_t cut = 1; cut < text.size(); ++cut) {
    RawClient client(server.port);
    client.send(text.substr(0, cut));
    // The server must see the first piece alone: ask it something on another connection.
    if (cut % 4 == 0) server.connections();
    client.send(text.substr(cut));
    const auto answers = parse_answers(client.read_to_end());
    ASSERT_EQ(answers.size(), 3u) << cut;
    EXPECT_EQ(answers[0].body, "abcde") << cut;
    EXPECT_EQ(answers[1].body, "12345") << cut;
    EXPECT_EQ(answers[2].status, 200) << cut;
  }
}

TEST(Server, ReadsManySmallChunks) {
  Running server;
  std::string body;
  for (int i = 0; i < 200'000; ++i) body += "1\r\nx\r\n";
  const auto answers =
      ask(server, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" + kClose +
                      "\r\n" + body + "0\r\n\r\n");
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].body, std::string(200'000, 'x'));
}

TEST(Server, SaysContinueWhenAsked) {
  Running server;
  RawClient client(server.port);
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n" +
              kClose + "\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hi");
  EXPECT_TRUE(client.read_to_end().ends_with("\r\n\r\nhi"));
}

TEST(Server, DoesNotAskForABodyThatItRefuses) {
  Running server;
  const auto answers = ask(server,
                           "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nExpect: "
                           "100-continue\r\n\r\n");
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].status, 413);
}

// Each refused with its status, the connection closed, and nothing behind it served.
TEST(Server, RefusesAndCloses) {
  Running server;
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "x: y\r\n";
  std::string some;
  for (int i = 0; i < 200; ++i) some += "x: y\r\n";
  const struct {
    const char* name;
    int status;
    std::string request;
  } cases[] = {
      {"both framings", 400,
       "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
       "0\r\n\r\n"},
      {"two lengths", 400,
       "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n"},
      {"obfuscated coding", 400,
       "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n"},
      {"space before colon", 400,
       "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n"},
      {"bare LF", 400, "GET /hello HTTP/1.1\nHost: a\n\n"},
      {"no host", 400, "GET /hello HTTP/1.1\r\n\r\n"},
      {"not HTTP", 400, "\x16\x03\x01 hello\r\n\r\n"},
      {"bad chunk", 400,
       "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"},
      {"long chunk", 400,
       "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n"},
      {"CONNECT", 400, "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"10,000 headers", 431, get("/hello", many)},
      {"200 headers", 431, get("/hello", some)},
      {"one large header", 431, get("/hello", "x: " + std::string(40'000, 'y') + "\r\n")},
      {"a head without end", 431, "GET /hello HTTP/1.1\r\nx: " + std::string(200'000, 'y')},
      {"body over limit", 413, post("/small", std::string(11, 'x'))},
      {"chunked body over limit", 413,
       "POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n"
       "0\r\n\r\n"},
      {"unread body of a missing path", 404, post("/nowhere", "abc")},
      {"unread body of a stranger", 401, post("/private", "abc")},
  };
  for (const auto& c : cases) {
    const auto answers = ask(server, c.request + get("/hello"));
    ASSERT_EQ(answers.size(), 1u) << c.name;
    EXPECT_EQ(answers[0].status, c.status) << c.name << ": " << answers[0].body;
    EXPECT_EQ(answers[0].header("Connection"), "close") << c.name;
    EXPECT_EQ(answers[0].header("x-request-id").size(), 36u) << c.name;
    EXPECT_FALSE(answers[0].broken) << c.name;
  }
  EXPECT_TRUE(server.all_connections_gone());
  EXPECT_EQ(server.inflight(), 0);
}

// Framed well, refused by what they ask for: the connection goes on.
TEST(Server, RefusesAndGoesOn) {
  Running server;
  const struct {
    const char* name;
    int status;
    std::string request;
  } cases[] = {
      {"missing path", 404, get("/nowhere")},
      {"wrong method", 405, get("/echo")},
      {"unknown method", 405, "BREW /echo HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"TRACE", 405, "TRACE /hello HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"bad escape", 404, get("/params/%zz/of/b")},
      {"handler throws", 500, get("/fail")},
  };
  for (const auto& c : cases) {
    const auto answers = ask(server, c.request + get("/hello", kClose));
    ASSERT_EQ(answers.size(), 2u) << c.name;
    EXPECT_EQ(answers[0].status, c.status) << c.name;
    EXPECT_EQ(answers[0].body.find("secret"), std::string::npos);
    EXPECT_EQ(answers[1].status, 200) << c.name;
  }
  EXPECT_EQ(ask(server, get("/echo", kClose))[0].header("Allow"), "POST");
}

TEST(Server, AnOversizedBodyIsReadSoThatTheAnswerArrives) {
  Running server;
  const auto answers = ask(server, post("/echo", std::string(64 << 20, 'x')));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].status, 413);
  EXPECT_NE(answers[0].body.find(std::to_string(kBodyLimit)), std::string::npos);
}

TEST(Server, BoundsTheBodiesOfAllRequestsTogether) {
  Running server({.max_body_bytes_in_flight = 1 << 20});
  const auto answers = ask(server, post("/echo", std::string(2 << 20, 'x')));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].status, 503);
  EXPECT_EQ(ask(server, post("/echo", "x", kClose))[0].status, 200);  // given back
}

TEST(Server, SlowCallersAreToldAndClosed) {
  Running server({.head_timeout = milliseconds(100), .body_idle_timeout = milliseconds(100)});
  for (const std::string& cut :
       {std::string("GET /hel"), post("/echo", "12345").substr(0, 55),
        std::string(
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")}) {
    const auto answers = ask(server, cut);
    ASSERT_EQ(answers.size(), 1u) << cut;
    EXPECT_EQ(answers[0].status, 408) << cut;
  }
  // A drip does not win time: the limit is for the whole head.
  RawClient drip(server.port);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 30; ++i) {
    drip.send("x");
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_TRUE(drip.read_until("\r\n\r\n").starts_with("HTTP/1.1 408 "));
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(2));
}

TEST(Server, AnEarlyEndOfALongBody) {
  Running server({.body_idle_timeout = seconds(30), .body_timeout = milliseconds(200)});
  for (const std::string& start :
       {post("/echo", "12345").substr(0, 55),
        std::string("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")}) {
    RawClient drip(server.port);
    drip.send(start);
    EXPECT_TRUE(drip.read_until("\r\n\r\n").starts_with("HTTP/1.1 408 ")) << start;
  }
}

TEST(Server, ABodyWaitsForTheKey) {
  Running server;
  const std::string path = "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n";
  for (const std::string& head :
       {path + "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n",
        path + "Content-Length: 5\r\n\r\n12", path + "Transfer-Encoding: chunked\r\n\r\n"}) {
    RawClient client(server.port);
    client.send(head);
    EXPECT_TRUE(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 401 ")) << head;
  }
  RawClient known(server.port);
  known.send(path + "Authorization: Bearer k\r\nContent-Length: 5\r\n\r\n12");
  known.send("345");
  EXPECT_TRUE(known.read_until("\r\n\r\n").starts_with("HTTP/1.1 200 "));
}

TEST(Server, ClosesIdleConnections) {
  Running server({.keep_alive_timeout = milliseconds(50)});
  RawClient client(server.port);
  client.send(get("/hello"));
  EXPECT_EQ(parse_answers(client.read_to_end()).size(), 1u);
}

TEST(Server, SpeaksTheOldVersion) {
  Running server;
  auto answers = ask(server, "GET /hello HTTP/1.0\r\n\r\n");
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].header("Connection"), "close");
  answers = ask(server,
                "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /hello HTTP/1.0\r\n\r\n");
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].header("Connection"), "keep-alive");
  // No chunks: the end of the connection is the end of the body.
  RawClient client(server.port);
  client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const std::string text = client.read_to_end();
  EXPECT_TRUE(text.ends_with("\r\n\r\none two three")) << text;
  EXPECT_EQ(text.find("chunked"), std::string::npos);
}

TEST(Server, AnswersHeadWithoutBody) {
  Running server;
  for (const char* path : {"/params/x/of/y", "/stream"}) {
    RawClient client(server.port);
    client.send("HEAD " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string head = client.read_until("\r\n\r\n");
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200")) << path;
    client.send(get("/hello", kClose));
    EXPECT_TRUE(client.read_to_end().starts_with("HTTP/1.1 200")) << path;  // no body in between
  }
}

TEST(Server, DecodesParametersOfThePath) {
  Running server;
  const auto answers = ask(server, get("/params/a%2Fb%20c/of/%E4%BD%A0?q=1%2b1&z", kClose));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].body, "a/b c|\xe4\xbd\xa0|1+1");
}

TEST(Server, AFieldsValueCannotEndItsLine) {
  const struct {
    const char* said;
    bool sent;
  } cases[] = {{"a%20b%09c%C3%A9", true},  {"a%0D%0AX-Evil:%201", false},
               {"a%0AX-Evil:%201", false}, {"a%0Db", false},
               {"a%00b", false},           {"a%7Fb", false}};
  Running server;
  for (const auto& c : cases) {
    RawClient client(server.port);
    client.send(get("/say/" + std::string(c.said), kClose));
    const std::string answer = client.read_to_end();
    EXPECT_EQ(answer.find("\r\nX-Said: <a") != std::string::npos, c.sent) << c.said;
    EXPECT_NE(answer.find("\r\nX-Behind: 1\r\n"), std::string::npos) << c.said;
    EXPECT_EQ(answer.find("X-Evil"), std::string::npos) << c.said;
  }
}

TEST(Server, NoticesThatTheCallerIsGone) {
  Running server;
  for (const bool reset : {false, true}) {
    RawClient client(server.port);
    client.send(get("/wait"));
    client.read_until("waiting");
    reset ? client.reset() : client.close();
    EXPECT_TRUE(server.all_connections_gone());
  }
  const std::scoped_lock lock(server.seen.mutex);
  EXPECT_EQ(server.seen.cancels, (std::vector<std::string>{"gone", "gone"}));
  EXPECT_EQ(server.inflight(), 0);
}

TEST(Server, HalfWrittenRequestsLeaveNothingBehind) {
  Running server;
  for (const std::string& cut :
       {std::string(""), std::string("G"), get("/hello").substr(0, 20),
        post("/echo", "12345").substr(0, 55),
        std::string(
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")}) {
    RawClient client(server.port);
    client.send(cut);
    client.close();
  }
  EXPECT_TRUE(server.all_connections_gone());
  EXPECT_EQ(server.inflight(), 0);
  EXPECT_EQ(ask(server, post("/echo", "x", kClose))[0].status, 200);
}

TEST(Server, DrainClosesIdleConnectionsAtOnce) {
  Running server;
  RawClient idle(server.port);
  idle.send(get("/hello"));
  idle.read_until("\r\n\r\n");
  RawClient silent(server.port);
  server.connections();
  EXPECT_LT(server.drain(seconds(5)), seconds(2));
  EXPECT_EQ(idle.read_to_end(), "");
  EXPECT_THROW(RawClient refused(server.port), std::runtime_error);
}

TEST(Server, DrainLetsRequestsFinish) {
  Running server;
  RawClient busy(server.port);
  busy.send(get("/slow"));
  while (server.inflight() == 0) std::this_thread::sleep_for(milliseconds(1));
  server.drain(seconds(5));
  const auto answers = parse_answers(busy.read_to_end());
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].body, "slow");
  EXPECT_EQ(answers[0].header("Connection"), "close");
}

TEST(Server, TheEndOfGraceCancels) {
  Running server;
  RawClient busy(server.port);
  busy.send(get("/wait"));
  busy.read_until("waiting");
  EXPECT_LT(server.drain(milliseconds(50)), seconds(3));
  EXPECT_TRUE(busy.read_to_end().ends_with(" cancelled\r\n0\r\n\r\n"));
  EXPECT_EQ(server.seen.cancels, std::vector<std::string>{"shutdown"});
}

TEST(Server, SpeaksTls) {
  const testing::SelfSignedCertificate certificate;
  auto tls = async::TlsContext::server(certificate.certificate_file(), certificate.key_file());
  ASSERT_TRUE(tls) << tls.error().message;
  Running server({.tls = *tls});
  RawClient plain(server.port);
  plain.send(get("/hello"));
  EXPECT_EQ(plain.read_to_end().find("200"), std::string::npos);

  std::vector<int> statuses;
  const Origin origin{true, "localhost", server.port, certificate.certificate_file()};
  const Origin stranger{true, "localhost", server.port, ""};
  async::Loop loop;
  async::BlockingPool pool("lookup", 1, 8);
  TlsContexts contexts;
  const Proxy proxy;
  Client client(loop, pool, contexts, proxy);
  async::TaskGroup tasks(loop);
  const auto status_of = [&](const Origin& to) -> Task<int> {
    async::CancelScope scope;
    const std::string head = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
    OutgoingRequest request;
    request.head = head;
    auto reply = co_await client.request(to, request,
                                         {std::chrono::steady_clock::now() + seconds(5)}, scope);
    co_return reply ? (*reply)->head().status : -1;
  };
  loop.post([&] {
    tasks.spawn([&]() -> Task<void> {
      statuses.push_back(co_await status_of(origin));
      statuses.push_back(co_await status_of(stranger));
      loop.stop();
    });
  });
  loop.run();
  EXPECT_EQ(statuses, (std::vector<int>{200, -1}));  // a stranger's authority is not believed
}

// More bytes than OpenSSL reads ahead must not make a clean connection look busy.
TEST(Server, OneTlsConnectionServesManyRequests) {
  const testing::SelfSignedCertificate certificate;
  auto tls = async::TlsContext::server(certificate.certificate_file(), certificate.key_file());
  ASSERT_TRUE(tls) << tls.error().message;
  Running server({.tls = *tls});
  const Origin origin{true, "localhost", server.port, certificate.certificate_file()};
  async::Loop loop;
  async::BlockingPool pool("lookup", 1, 8);
  TlsContexts contexts;
  const Proxy proxy;
  Client client(loop, pool, contexts, proxy);
  async::TaskGroup tasks(loop);
  const auto ask_once = [&]() -> Task<bool> {
    async::CancelScope scope;
    const base::Deadline deadline{std::chrono::steady_clock::now() + seconds(5)};
    const std::string head = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
    auto reply = co_await client.request(origin, {Method::get, head, {}}, deadline, scope);
    if (!reply) co_return false;
    while (true) {
      auto piece = co_await (*reply)->read(deadline);
      if (!piece) co_return false;
      if (piece->empty()) co_return true;
    }
  };
  size_t opened = 0;
  loop.post([&] {
    tasks.spawn([&]() -> Task<void> {
      for (int i = 0; i < 200; ++i) EXPECT_TRUE(co_await ask_once()) << i;
      opened = client.opened_connections();
      loop.stop();
    });
  });
  loop.run();
  EXPECT_EQ(opened, 1u);
}

TEST(Stack, EveryAnswerHasItsIdsAndTrace) {
  Running server;
  const std::string trace = "0af7651916cd43dd8448eb211c80319c";
  const auto answers =
      ask(server, get("/hello", kClose + "traceparent: 00-" + trace + "-b7ad6b7169203331-01\r\n"));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].header("x-request-id"), answers[0].header("request-id"));
  EXPECT_EQ(answers[0].header("x-request-id").size(), 36u);
  EXPECT_EQ(answers[0].header("traceresponse").substr(0, 36), "00-" + trace + "-");
  EXPECT_EQ(answers[0].header("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(answers[0].header("Access-Control-Allow-Origin"), "");
}

TEST(Stack, BrowsersMayCallV1AndNothingElse) {
  Running server;
  const std::string origin = "Origin: https://page.example\r\n";
  const std::string asks =
      "Access-Control-Request-Method: POST\r\n"
      "Access-Control-Request-Headers: authorization, x-stainless-os\r\n";
  const std::string path = "/v1/chat/completions";
  auto answers = ask(server, "OPTIONS " + path + " HTTP/1.1\r\nHost: a\r\n" + origin + asks +
                                 "\r\n" + post(path, "x", kClose + origin));
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].status, 204);
  EXPECT_EQ(answers[0].header("Content-Length"), "");
  EXPECT_EQ(answers[0].header("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(answers[0].header("Access-Control-Allow-Headers"), "authorization, x-stainless-os");
  EXPECT_EQ(answers[0].header("Access-Control-Allow-Credentials"), "");
  EXPECT_EQ(answers[1].header("Access-Control-Allow-Origin"), "*");
  for (const char* name : {"x-request-id", "x-deeppool-cost", "X-DeepPool-Dropped-Params",
                           "x-deeppool-idempotent-replay", "x-deeppool-original-request-id"}) {
    EXPECT_NE(answers[1].header("Access-Control-Expose-Headers").find(name), std::string::npos)
        << name;
  }
  answers =
      ask(server, "OPTIONS /private HTTP/1.1\r\nHost: a\r\n" + origin + asks + kClose + "\r\n");
  EXPECT_EQ(answers[0].status, 405);
  EXPECT_EQ(answers[0].header("Access-Control-Allow-Origin"), "");
}

}  // namespace
}  // namespace deeppool::http
