#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "base/error.h"
#include "base/ids.h"
#include "base/text.h"
#include "base/timestamp.h"

namespace deeppool::base {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return Error::invalid("n", "n must be even");
  return n / 2;
}

Result<int> quarter(int n) {
  DP_TRY(const int h, half(n));
  return half(h);
}

TEST(Result, CarriesValueOrError) {
  EXPECT_EQ(*quarter(8), 2);
  const auto r = quarter(6);
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, ErrorCode::invalid_request);
  EXPECT_EQ(r.error().param, "n");
}

TEST(ErrorCode, EveryCodeHasItsOwnName) {
  std::set<std::string_view> names;
  for (int i = 0; i < kErrorCodeCount; ++i) names.insert(to_string(static_cast<ErrorCode>(i)));
  EXPECT_EQ(names.size(), static_cast<size_t>(kErrorCodeCount));
  EXPECT_FALSE(names.contains("unknown"));
}

TEST(RequestId, IsVersion7AndSortsByTime) {
  SystemClock clock;
  SystemRandom random;
  const RequestId id = RequestId::make(clock, random);
  const std::string text = id.to_string();
  EXPECT_EQ(text.size(), 36u);
  EXPECT_EQ(text[14], '7');
  EXPECT_EQ(RequestId::parse(text), id);
  EXPECT_FALSE(RequestId::parse("not an id"));
  EXPECT_FALSE(RequestId::parse(text.substr(1) + "x"));
}

RC_GTEST_PROP(Text, EncodingsRoundTrip, (const std::string& bytes)) {
  RC_ASSERT(base64url_decode(base64url_encode(bytes)) == bytes);
  RC_ASSERT(base64_decode(base64_encode(bytes)) == bytes);
  RC_ASSERT(hex_decode(hex_encode(bytes)) == bytes);
  RC_ASSERT(percent_decode(percent_encode(bytes)) == bytes);
}

TEST(Text, Base64RefusesASecondSpelling) {
  EXPECT_EQ(base64_encode("f"), "Zg==");
  EXPECT_TRUE(base64_decode("Zg=="));
  EXPECT_FALSE(base64_decode("Zh=="));
  EXPECT_FALSE(base64_decode("Zg="));
  EXPECT_FALSE(base64url_decode("Zg=="));
}

TEST(Text, Utf8) {
  EXPECT_TRUE(valid_utf8("a\xc3\xa9\xe4\xbd\xa0\xf0\x9f\x98\x80"));
  EXPECT_FALSE(valid_utf8("\xc0\x80"));          // overlong
  EXPECT_FALSE(valid_utf8("\xed\xa0\x80"));      // surrogate
  EXPECT_FALSE(valid_utf8("\xf4\x90\x80\x80"));  // beyond U+10FFFF
  EXPECT_FALSE(valid_utf8("\xe4\xbd"));          // cut
  // Wherever it stands among the words that are looked at as a whole.
  for (size_t before = 0; before < 20; ++before) {
    const std::string plain(before, 'a');
    EXPECT_TRUE(valid_utf8(plain + "\xc3\xa9" + plain)) << before;
    EXPECT_FALSE(valid_utf8(plain + "\xff" + plain)) << before;
  }
}

TEST(Text, JsonStringCannotBreakOut) {
  std::string out;
  append_json_string(out, "a\"b\\\n\x1b\xff");
  EXPECT_EQ(out, "\"a\\\"b\\\\\\n\\u001b\xef\xbf\xbd\"");
}

TEST(Text, Parsing) {
  EXPECT_EQ(parse_int<int>("42"), 42);
  EXPECT_FALSE(parse_int<int>("42x"));
  EXPECT_FALSE(parse_int<int>(""));
  EXPECT_FALSE(parse_int<int8_t>("300"));
  EXPECT_FALSE(percent_decode("%4"));
  EXPECT_FALSE(percent_decode("%zz"));
  EXPECT_EQ(percent_decode("org%2Fmy%20model"), "org/my model");
  EXPECT_EQ(split("a,,b", ',').size(), 3u);
}

TEST(Timestamp, Rfc3339) {
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(1795456800), "2026-11-23T18:00:00Z");
}

TEST(Random, SeededRepeatsAndSystemDoesNot) {
  SeededRandom a(7);
  SeededRandom b(7);
  EXPECT_EQ(a.next_u64(), b.next_u64());
  SystemRandom system;
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(system.next_u64());
  EXPECT_EQ(seen.size(), 1000u);
}

}  // namespace
}  // namespace deeppool::base
