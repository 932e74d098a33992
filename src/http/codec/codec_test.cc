#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "http/codec/chunked.h"
#include "http/codec/head_parser.h"
#include "http/sse.h"

namespace deeppool::http {
namespace {

std::string problem(std::string_view head) {
  RequestHead out;
  const auto r = parse_request_head(head, out);
  return r.ok() ? "" : r.error().message;
}

TEST(RequestHead, ReadsAnOrdinaryRequest) {
  const std::string text =
      "POST /v1/chat/completions?x=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\nX-A:  b \r\n"
      "Expect: 100-continue\r\n\r\n";
  EXPECT_EQ(find_head_end(text, 0), text.size());
  RequestHead head;
  ASSERT_TRUE(parse_request_head(text, head));
  EXPECT_EQ(head.method, Method::post);
  EXPECT_EQ(head.target, "/v1/chat/completions?x=1");
  EXPECT_EQ(head.framing, Framing::length);
  EXPECT_EQ(head.content_length, 12u);
  EXPECT_EQ(head.headers.find("x-a"), "b");
  EXPECT_TRUE(head.keep_alive);
  EXPECT_TRUE(head.expects_continue);
}

TEST(RequestHead, RefusesWhatTwoParsersCouldReadDifferently) {
  const struct {
    const char* name;
    std::string head;
  } cases[] = {
      {"both framings",
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"two lengths",
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"},
      {"length list", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n"},
      {"signed length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n"},
      {"hex length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n"},
      {"huge length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"},
      {"obfuscated coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n"},
      {"stacked coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"},
      {"two codings",
       "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
       "chunked\r\n\r\n"},
      {"chunked in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"space before colon", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 1\r\n\r\n"},
      {"folded line", "GET / HTTP/1.1\r\nHost: a\r\n X: b\r\n\r\n"},
      {"bare LF line", "GET / HTTP/1.1\nHost: a\r\n\r\n"},
      {"bare LF end", "GET / HTTP/1.1\r\nHost: a\n\n"},
      {"bare CR in value", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n"},
      {"NUL in value", std::string("GET / HTTP/1.1\r\nHost: a") + '\0' + "b\r\n\r\n"},
      {"no host", "GET / HTTP/1.1\r\n\r\n"},
      {"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
      {"absolute form", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"version 2", "GET / HTTP/2.0\r\nHost: a\r\n\r\n"},
      {"two spaces", "GET /a /b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"lone line", "GET /\r\n\r\n"},
      {"no colon", "GET / HTTP/1.1\r\nHost: a\r\nfoo\r\n\r\n"},
      {"empty name", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n"},
      {"other expectation", "POST / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n"},
  };
  for (const auto& c : cases) {
    EXPECT_GT(find_head_end(c.head, 0), 0u) << c.name;
    EXPECT_NE(problem(c.head), "") << c.name;
  }
}

TEST(RequestHead, BoundsTheNumberOfFields) {
  std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 10000; ++i) head += "x: y\r\n";
  head += "\r\n";
  EXPECT_NE(problem(head).find("too many header fields"), std::string::npos);
}

TEST(RequestHead, ConnectionField) {
  RequestHead head;
  ASSERT_TRUE(
      parse_request_head("GET / HTTP/1.1\r\nHost: a\r\nConnection: foo, Close\r\n\r\n", head));
  EXPECT_FALSE(head.keep_alive);
  ASSERT_TRUE(parse_request_head("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", head));
  EXPECT_TRUE(head.keep_alive);
  ASSERT_TRUE(parse_request_head("GET / HTTP/1.0\r\n\r\n", head));
  EXPECT_FALSE(head.keep_alive);
}

TEST(ResponseHead, FramingFollowsTheRules) {
  ResponseHead head;
  ASSERT_TRUE(
      parse_response_head("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", Method::get, head));
  EXPECT_EQ(head.framing, Framing::length);
  ASSERT_TRUE(parse_response_head("HTTP/1.1 200\r\n\r\n", Method::get, head));
  EXPECT_EQ(head.framing, Framing::until_close);
  EXPECT_FALSE(head.keep_alive);
  ASSERT_TRUE(
      parse_response_head("HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n", Method::get, head));
  EXPECT_EQ(head.framing, Framing::none);
  for (const char* bad :
       {"HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "ICY 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    EXPECT_FALSE(parse_response_head(bad, Method::get, head).ok()) << bad;
  }
}

TEST(FindHeadEnd, WorksAtAnySplit) {
  const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
  for (size_t cut = 0; cut < text.size() - 4; ++cut) {
    const std::string_view first(text.data(), cut);
    if (find_head_end(first, 0) == 0) {
      EXPECT_EQ(find_head_end(text, cut), text.size() - 4) << cut;
    }
  }
}

// Feeds `in` in pieces that end at `cuts`; returns the data, or nothing on an error.
std::optional<std::string> decode_chunked(std::string_view in, const std::vector<size_t>& cuts,
                                          size_t* left) {
  ChunkedDecoder decoder;
  std::string out;
  size_t at = 0;
  for (size_t i = 0; i <= cuts.size() && !decoder.finished(); ++i) {
    const size_t end = i < cuts.size() ? std::max(at, std::min(cuts[i], in.size())) : in.size();
    std::string_view piece = in.substr(at, end - at);
    at = end;
    while (true) {
      const auto step = decoder.next(piece);
      if (!step) return std::nullopt;
      if (step->state == ChunkedDecoder::State::data) out += step->data;
      if (step->state == ChunkedDecoder::State::need_more) break;
      if (step->state == ChunkedDecoder::State::end) {
        *left = in.size() - at + piece.size();
        return out;
      }
    }
  }
  return std::nullopt;
}

TEST(ChunkedDecoder, DecodesAndStopsAtTheEnd) {
  size_t left = 0;
  EXPECT_EQ(decode_chunked("3\r\nabc\r\n0a;x=y\r\n0123456789\r\n0\r\nT: v\r\n\r\nnext", {}, &left),
            "abc0123456789");
  EXPECT_EQ(left, 4u);
}

TEST(ChunkedDecoder, RefusesBadFraming) {
  size_t left = 0;
  for (const char* bad :
       {"\r\n", "x\r\n", "3 \r\nabc\r\n", "3\nabc\r\n", "3\r\nabcd\r\n", "3\r\nabc\n", "-1\r\n",
        "0x3\r\nabc\r\n", "ffffffffffffffff1\r\n", "0\r\nT: v\n\r\n", "3;\nabc"}) {
    EXPECT_EQ(decode_chunked(bad, {}, &left), std::nullopt) << bad;
  }
}

RC_GTEST_PROP(ChunkedDecoder, AnySplitGivesTheSame, (std::vector<uint8_t> raw_cuts)) {
  const std::string text = "5\r\nhello\r\n1;e\r\n \r\n00005\r\nworld\r\n0\r\nA: b\r\n\r\n";
  std::vector<size_t> cuts(raw_cuts.begin(), raw_cuts.end());
  std::sort(cuts.begin(), cuts.end());
  size_t left = 1;
  RC_ASSERT(decode_chunked(text, cuts, &left) == std::optional<std::string>("hello world"));
  RC_ASSERT(left == 0u);
}

constexpr size_t kMaxTestEvent = 1000;

std::vector<std::string> parse_sse(std::string_view in, const std::vector<size_t>& cuts) {
  SseParser parser(kMaxTestEvent);
  std::vector<std::string> out;
  SseEvent event;
  size_t at = 0;
  for (size_t i = 0; i <= cuts.size(); ++i) {
    const size_t end = i < cuts.size() ? std::max(at, std::min(cuts[i], in.size())) : in.size();
    std::string piece(in.substr(at, end - at));  // own bytes: a view kept too long shows under ASan
    at = end;
    parser.feed(piece);
    while (true) {
      const auto got = parser.next(event);
      if (!got) {
        out.push_back("error");
        return out;
      }
      if (!*got) break;
      out.push_back(std::string(event.type) + "|" + std::string(event.data));
    }
  }
  if (parser.last(event)) out.push_back(std::string(event.type) + "|" + std::string(event.data));
  return out;
}

TEST(SseParser, ReadsWhatUpstreamsSend) {
  const struct {
    const char* name;
    std::string in;
    std::vector<std::string> events;
  } cases[] = {
      {"LF", "data: a\n\ndata: b\n\n", {"|a", "|b"}},
      {"CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", {"|a", "|b"}},
      {"CR", "data: a\r\rdata: b\r\r", {"|a", "|b"}},
      {"no space", "data:a\n\n", {"|a"}},
      {"multi-line", "data: a\ndata: b\n\n", {"|a\nb"}},
      {"BOM",
       "\xef\xbb\xbf"
       "data: a\n\n",
       {"|a"}},
      {"comments, id, retry", ": hi\n\nid: 4\nretry: 3\n\ndata: a\nid: 5\n\n", {"|a"}},
      {"type", "event: ping\ndata: {}\n\n", {"ping|{}"}},
      {"type without data", "event: ping\n\ndata: a\n\n", {"|a"}},
      {"empty data", "data:\n\n", {"|"}},
      {"no last empty line", "data: a\n\ndata: [DONE]\n", {"|a", "|[DONE]"}},
      {"no last line end", "data: a\n\ndata: [DONE]", {"|a", "|[DONE]"}},
      {"nothing", "", {}},
  };
  for (const auto& c : cases) EXPECT_EQ(parse_sse(c.in, {}), c.events) << c.name;
}

TEST(SseParser, RefusesAnEndlessEvent) {
  EXPECT_EQ(parse_sse("data: " + std::string(5000, 'x'), {100, 2000}).back(), "error");
}

RC_GTEST_PROP(SseParser, AnySplitGivesTheSame, (std::vector<uint8_t> raw_cuts)) {
  const std::string text =
      "\xef\xbb\xbf"
      "data: one\r\n\r\n: c\r\nevent: x\r\ndata: two\r\ndata: lines\r\n\r\nid: 1\rdata: three\r\r"
      "data: four\n\ndata:five";
  std::vector<size_t> cuts(raw_cuts.begin(), raw_cuts.end());
  std::sort(cuts.begin(), cuts.end());
  RC_ASSERT(parse_sse(text, cuts) == parse_sse(text, {}));
}

}  // namespace
}  // namespace deeppool::http
