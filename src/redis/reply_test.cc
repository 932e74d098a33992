#include "redis/reply.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "redis/limits.h"

namespace deeppool::redis {
namespace {

using Kind = Reply::Kind;

Reply number(int64_t v) {
  return {.kind = Kind::integer, .text = {}, .integer = v, .items = {}};
}
Reply text(std::string v) {
  return {.kind = Kind::text, .text = std::move(v), .integer = 0, .items = {}};
}
Reply array(std::vector<Reply> items) {
  return {.kind = Kind::array, .text = {}, .integer = 0, .items = std::move(items)};
}

TEST(ReplyParser, ReadsEveryKind) {
  const struct {
    std::string bytes;
    Reply reply;
  } cases[] = {
      {"+OK\r\n", {.kind = Kind::status, .text = "OK", .integer = 0, .items = {}}},
      {"-ERR no\r\n", {.kind = Kind::error, .text = "ERR no", .integer = 0, .items = {}}},
      {":-42\r\n", number(-42)},
      {"$-1\r\n", {}},
      {"*-1\r\n", {}},
      {"$0\r\n\r\n", text("")},
      {"$4\r\na\r\nb\r\n", text("a\r\nb")},
      {"*0\r\n", array({})},
      {"*3\r\n:1\r\n*2\r\n$1\r\nx\r\n*0\r\n$-1\r\n",
       array({number(1), array({text("x"), array({})}), {}})},
  };
  for (const auto& c : cases) {
    ReplyParser parser;
    const auto whole = parser.feed(c.bytes);
    ASSERT_TRUE(whole.ok()) << c.bytes;
    EXPECT_TRUE(*whole) << c.bytes;
    EXPECT_EQ(parser.take(), c.reply) << c.bytes;
  }
}

TEST(ReplyParser, RefusesWhatIsNotResp2OrTooMuch) {
  const std::string cases[] = {
      "hello\r\n",
      "\r\n",
      "+OK\n",
      "+O\rK\r\n",
      ":1x\r\n",
      ":\r\n",
      "$-2\r\n",
      "*-2\r\n",
      "$3\r\nabcd\r\n",
      "$3\r\nabc\n\n",
      "$99999999999999999999\r\n",
      "$" + std::to_string(kMaxReplyBytes + 1) + "\r\n",
      "*" + std::to_string(kMaxReplyItems + 1) + "\r\n",
      "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
      "+" + std::string(kMaxReplyLine + 10, 'x'),
      "+OK\r\n+OK\r\n",
      "%1\r\n+a\r\n+b\r\n",
  };
  for (const std::string& bytes : cases) {
    ReplyParser parser;
    const auto whole = parser.feed(bytes);
    ASSERT_FALSE(whole.ok()) << bytes;
    EXPECT_EQ(whole.error().code, ErrorCode::upstream_failed);
  }
}

Reply any_reply(int depth) {
  switch (*rc::gen::inRange(0, depth > 0 ? 6 : 5)) {
    case 0:
      return {};
    case 1:
      return {.kind = Kind::status, .text = "OK", .integer = 0, .items = {}};
    case 2:
      return {.kind = Kind::error, .text = "ERR it", .integer = 0, .items = {}};
    case 3:
      return number(*rc::gen::arbitrary<int64_t>());
    case 4:
      return text(*rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab\r\n$*:"))));
  }
  std::vector<Reply> items;
  const int count = *rc::gen::inRange(0, 5);
  for (int i = 0; i < count; ++i) items.push_back(any_reply(depth - 1));
  return array(std::move(items));
}

std::string spell(const Reply& reply) {
  switch (reply.kind) {
    case Kind::nil:
      return "$-1\r\n";
    case Kind::status:
      return "+" + reply.text + "\r\n";
    case Kind::error:
      return "-" + reply.text + "\r\n";
    case Kind::integer:
      return ":" + std::to_string(reply.integer) + "\r\n";
    case Kind::text:
      return "$" + std::to_string(reply.text.size()) + "\r\n" + reply.text + "\r\n";
    case Kind::array:
      break;
  }
  std::string out = "*" + std::to_string(reply.items.size()) + "\r\n";
  for (const Reply& item : reply.items) out += spell(item);
  return out;
}

RC_GTEST_PROP(ReplyParser, AnySplitGivesTheSameReply, ()) {
  const Reply reply = any_reply(3);
  const std::string bytes = spell(reply);
  ReplyParser parser;
  for (size_t at = 0; at < bytes.size();) {
    const size_t n = *rc::gen::inRange<size_t>(1, 9);
    const auto whole = parser.feed(std::string_view(bytes).substr(at, n));
    at += n;
    RC_ASSERT(whole.ok());
    RC_ASSERT(*whole == (at >= bytes.size()));
  }
  RC_ASSERT(parser.take() == reply);
}

}  // namespace
}  // namespace deeppool::redis
