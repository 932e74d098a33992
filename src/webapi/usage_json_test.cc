#include "webapi/usage_json.h"

#include <gtest/gtest.h>

namespace deeppool::webapi {
namespace {

TEST(Days, GoToTextAndBack) {
  for (int64_t day = 0; day < 40'000; ++day) ASSERT_EQ(parse_day(day_text(day)), day);
  EXPECT_EQ(day_text(0), "1970-01-01");
  EXPECT_EQ(day_text(20'484), "2026-01-31");
  EXPECT_EQ(parse_day("2024-02-29"), 19'782);
}

TEST(Days, NothingElseIsADay) {
  for (const char* text :
       {"", "2026-1-31", "2026-02-30", "2026-13-01", "2026-00-10", "2026-01-00", "2025-02-29",
        "2026/01/31", "2026-01-31T00", "-026-01-31", "20260131", "2026-01-3x", "+026-01-31"}) {
    EXPECT_EQ(parse_day(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace deeppool::webapi
