#include "base/text_buffer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/text.h"

namespace deeppool::base {
namespace {

TEST(TextBuffer, TakesTextsCharactersAndIntegersInOneCall) {
  TextBuffer out;
  const std::string name = "x-request-id";
  out.put(name, ": ", 'v', std::string_view("alue "), 0, ' ', -7, ' ',
          std::numeric_limits<int64_t>::min(), ' ', std::numeric_limits<uint64_t>::max(), "");
  EXPECT_EQ(out.view(), "x-request-id: value 0 -7 -9223372036854775808 18446744073709551615");
  out.clear();
  EXPECT_TRUE(out.empty());
}

TEST(TextBuffer, GrowsToAnySize) {
  TextBuffer out;
  std::string wanted;
  for (int i = 0; i < 3000; ++i) {
    out.put(i, ',');
    wanted += std::to_string(i) + ",";
  }
  EXPECT_EQ(out.view(), wanted);
  TextBuffer moved = std::move(out);
  EXPECT_EQ(moved.view(), wanted);
  moved.release();
  EXPECT_EQ(moved.size(), 0u);
}

// The short way for plain texts and the long one for others say the same as append_json_string, a
// stop at any place of a text of any length included.
TEST(TextBuffer, JsonStringsAreWholeWhereverTheyNeedAnEscape) {
  const std::vector<std::string> odd = {
      "\"", "\\", "\n", std::string(1, '\0'), "\x1f", "\x7f", "\x80", "\xc3\xa9", "\xff"};
  for (size_t size = 0; size < 40; ++size) {
    const std::string plain(size, 'a');
    EXPECT_TRUE(plain_json(plain));
    TextBuffer quoted;
    quoted.put_json_string(plain);
    EXPECT_EQ(quoted.view(), '"' + plain + '"');
    for (size_t at = 0; at <= size; ++at) {
      for (const std::string& stop : odd) {
        const std::string text = std::string(plain).insert(at, stop);
        EXPECT_FALSE(plain_json(text));
        std::string wanted;
        append_json_string(wanted, text);
        TextBuffer out;
        out.put_json_string(text);
        EXPECT_EQ(out.view(), wanted);
        EXPECT_EQ(wanted.front(), '"');
        EXPECT_EQ(wanted.back(), '"');
      }
    }
  }
}

}  // namespace
}  // namespace deeppool::base
