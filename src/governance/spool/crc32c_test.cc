#include "governance/spool/crc32c.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace deeppool::governance {
namespace {

// RFC 3720, appendix B.4.
TEST(Crc32c, KnownVectors) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43u);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c_portable("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c(""), 0u);
}

RC_GTEST_PROP(Crc32c, InstructionAndTableAgreeOverAnySplit, (const std::string& text)) {
  const size_t cut = *rc::gen::inRange<size_t>(0, text.size() + 1);
  const std::string_view all(text);
  RC_ASSERT(crc32c(all) == crc32c_portable(all));
  RC_ASSERT(crc32c(all.substr(cut), crc32c(all.substr(0, cut))) == crc32c(all));
}

}  // namespace
}  // namespace deeppool::governance
