#include "json/reader.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <boost/json.hpp>

#include "json/number.h"
#include "json/padded.h"

namespace deeppool::json {
namespace {

struct Fault {
  std::string_view text;
  std::string_view reason;
  size_t position;
};

class ReaderFault : public testing::TestWithParam<Fault> {};

TEST_P(ReaderFault, IsNamedAtItsByte) {
  const PaddedBytes text(GetParam().text);
  Reader reader(text.view());
  reader.skip();
  EXPECT_FALSE(reader.finish());
  EXPECT_EQ(reader.error_reason(), GetParam().reason);
  EXPECT_EQ(reader.error_position(), GetParam().position);
}

INSTANTIATE_TEST_SUITE_P(
    Grammar, ReaderFault,
    testing::Values(Fault{"", "the text ends too early", 0},
                    Fault{"  ", "the text ends too early", 2},
                    Fault{"{", "the text ends too early", 1}, Fault{"{\"a\"}", "expected ':'", 4},
                    Fault{"{\"a\":1,}", "expected a member name", 7},
                    Fault{"{\"a\":1 \"b\":2}", "expected ',' or '}'", 7},
                    Fault{"{a:1}", "expected a member name", 1},
                    Fault{"[1 2]", "expected ',' or ']'", 3}, Fault{"[1,]", "expected a value", 3},
                    Fault{"[1]]", "something follows the end of the value", 3},
                    Fault{"nul", "expected a value", 0}, Fault{"01", "not a number", 0},
                    Fault{"[-]", "not a number", 1}, Fault{"1.", "not a number", 0},
                    Fault{"1e+", "not a number", 0}, Fault{"+1", "expected a value", 0},
                    Fault{"NaN", "expected a value", 0}, Fault{"\"ab", "a string is not closed", 3},
                    Fault{"\"a\\\"", "a string is not closed", 4},
                    Fault{"\"a\\x\"", "bad escape in a string", 2},
                    Fault{"\"\\u12g4\"", "bad escape in a string", 1},
                    Fault{"\"a\nb\"", "control character in a string", 2},
                    Fault{"\xef\xbb\xbf{}", "expected a value", 0},
                    Fault{"[\"ok\",\"\xc3\x28\"]", "not valid UTF-8", 7},
                    Fault{"\"\xed\xa0\x80\"", "not valid UTF-8", 1}));

TEST(Reader, BoundsTheDepth) {
  for (const int depth : {kMaxDepth, kMaxDepth + 1}) {
    const PaddedBytes text(std::string(static_cast<size_t>(depth), '[') +
                           std::string(static_cast<size_t>(depth), ']'));
    Reader reader(text.view());
    reader.skip();
    EXPECT_EQ(reader.finish(), depth == kMaxDepth) << reader.error_reason();
  }
}

TEST(Reader, MeasuresAndDecodesStrings) {
  const PaddedBytes text(R"(["a\n\u00e9\u4f60\ud83d\ude00é你😀\"", "\ud83d", "m\u006fdel"])");
  Reader reader(text.view());
  Elements elements(reader);
  std::string scratch;
  ASSERT_TRUE(elements.next());
  const StringToken first = reader.read_string();
  EXPECT_EQ(reader.decode(first, scratch), "a\né你😀é你😀\"");
  EXPECT_EQ(first.decoded_bytes, scratch.size());
  EXPECT_EQ(first.decoded_chars, 9u);
  ASSERT_TRUE(elements.next());
  EXPECT_EQ(reader.decode(reader.read_string(), scratch), "\xef\xbf\xbd");
  ASSERT_TRUE(elements.next());
  EXPECT_EQ(reader.decode(reader.read_string(), scratch), "model");
  EXPECT_FALSE(elements.next());
  EXPECT_TRUE(reader.finish());
}

TEST(Reader, DecodesEscapedKeys) {
  const PaddedBytes text(R"({"mod\u0065l" : [1, {"x":null}], "b":true} )");
  Reader reader(text.view());
  Members members(reader);
  ASSERT_TRUE(members.next());
  EXPECT_EQ(members.key(), "model");
  EXPECT_EQ(reader.text(reader.skip()), R"([1, {"x":null}])");
  ASSERT_TRUE(members.next());
  EXPECT_TRUE(reader.read_bool());
  EXPECT_FALSE(members.next());
  EXPECT_EQ(text.view()[members.close()], '}');
  EXPECT_TRUE(reader.finish());
}

TEST(Reader, AWrongKindIsAFault) {
  const PaddedBytes text("[1]");
  Reader reader(text.view());
  EXPECT_TRUE(reader.read_string().raw.empty());
  EXPECT_EQ(reader.error_reason(), "expected a string");
}

// A foreign parser is the judge: what it takes, we take, and the other way round (but for escapes
// of lone surrogates, which we pass on).
RC_GTEST_PROP(Reader, AgreesWithAnotherParser, ()) {
  static const std::string kAlphabet = "{}[]:,\"\\u0123456789eE+-. \n\ttruefalsn\xc3\xa9\x80/ab";
  const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(kAlphabet));
  const PaddedBytes padded(text);
  Reader reader(padded.view());
  reader.skip();
  boost::system::error_code ec;
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::json::parse(text, ec, {}, options);
  RC_ASSERT(reader.finish() == !ec || text.find("\\u") != std::string::npos);
}

TEST(Number, KeepsWholeNumbersWhole) {
  EXPECT_EQ(to_integer("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(to_integer("100.0"), 100);
  EXPECT_EQ(to_integer("1e2"), 100);
  EXPECT_EQ(to_integer("-0"), 0);
  for (const std::string_view bad : {"9223372036854775808", "1.5", "1e300", "1e999", ""}) {
    EXPECT_FALSE(to_integer(bad)) << bad;
  }
  EXPECT_EQ(to_double("1.5"), 1.5);
  EXPECT_EQ(to_double("1e-999"), 0.0);
  EXPECT_FALSE(to_double("1e999"));
}

TEST(PaddedBytes, GrowsMovesAndReleases) {
  PaddedBytes bytes;
  EXPECT_EQ(bytes.view(), "");
  bytes.append("hello");
  bytes.append(std::string(1000, 'x'));
  EXPECT_EQ(bytes.size(), 1005u);
  PaddedBytes moved(std::move(bytes));
  EXPECT_EQ(moved.view().substr(0, 6), "hellox");
  EXPECT_TRUE(bytes.empty());
  moved.resize_for_overwrite(3);
  moved.mutable_data()[0] = 'j';
  EXPECT_EQ(moved.view(), "jel");
  moved.release();
  EXPECT_EQ(moved.capacity(), 0u);
}

// Strings are scanned in pieces of 16 and 64 bytes: what stops the scan must be seen wherever it
// stands, and the end of the text must hold although bytes behind it could go on with it.
TEST(Reader, LongStringsAreSeenWhole) {
  const std::vector<std::string> odd = {"\\n", "\\u00e9", "\xc3\xa9", "\xe4\xb8\xad"};
  for (size_t size = 0; size < 150; ++size) {
    for (const size_t at : {size_t{0}, size / 3, size / 2, size}) {
      for (const std::string& piece : odd) {
        const std::string inside = std::string(size, 'a').insert(at, piece);
        const PaddedBytes text("{\"" + inside + "\":\"" + inside + "\"}");
        Reader reader(text.view());
        Members members(reader);
        ASSERT_TRUE(members.next());
        const StringToken token = reader.read_string();
        EXPECT_EQ(reader.text(token), inside);
        EXPECT_EQ(token.decoded_chars, size + 1);
        std::string scratch;
        EXPECT_EQ(reader.decode(token, scratch), members.key());
        EXPECT_FALSE(members.next());
        EXPECT_TRUE(reader.finish());
      }
    }
  }
}

TEST(Reader, NothingBehindTheTextIsRead) {
  const std::string whole = R"({"a":"b","a long name of more than sixteen bytes":12, "c":[1,"d"]})";
  for (size_t size = 0; size < whole.size(); ++size) {
    // The rest of the object stands where the padding is.
    const PaddedBytes bytes(whole + std::string(kPadding, ' '));
    Reader reader(bytes.view().substr(0, size));
    reader.skip();
    EXPECT_FALSE(reader.finish()) << size;
    EXPECT_LE(reader.error_position(), size);
  }
}

}  // namespace
}  // namespace deeppool::json
