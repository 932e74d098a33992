#include "base/money.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

namespace deeppool::base {
namespace {

TEST(Money, ReadsDecimalsExactly) {
  const struct {
    const char* text;
    int64_t units;
  } rows[] = {
      {"0", 0},
      {"-0", 0},
      {"12", 120'000'000'000},
      {"-0.5", -5'000'000'000},
      {"0.0000000001", 1},
      {"1e-10", 1},
      {"2.5E3", 25'000'000'000'000},
      {"1e+2", 1'000'000'000'000},
      {"1.00000000000000000000000000000000000000000000000", 10'000'000'000},
      {"0.00000000000000000000000000000000000000000000000", 0},
      {"922337203.6854775807", std::numeric_limits<int64_t>::max()},
      {"-922337203.6854775808", std::numeric_limits<int64_t>::min()},
  };
  for (const auto& row : rows) {
    const auto money = Money::parse(row.text);
    ASSERT_TRUE(money) << row.text;
    EXPECT_EQ(money->units(), row.units) << row.text;
  }
}

TEST(Money, RefusesWhatIsNoExactAmount) {
  for (const char* text : {"",
                           "-",
                           ".",
                           ".5",
                           "5.",
                           "1..2",
                           "1.2.3",
                           "+1",
                           "--1",
                           "1e",
                           "1e+-2",
                           "1e1.5",
                           "0x10",
                           "NaN",
                           "inf",
                           " 1",
                           "1 ",
                           "0.00000000001",
                           "1e-11",
                           "922337203.6854775808",
                           "1e300",
                           "1e-300",
                           "1e99999999999",
                           "10000000000000000000000000000000000000000000000000000001"}) {
    EXPECT_FALSE(Money::parse(text)) << text;
  }
}

TEST(Money, RoundsHalfUpOnce) {
  EXPECT_TRUE(divide_half_up(5, 10) == 1);
  EXPECT_TRUE(divide_half_up(4, 10) == 0);
  EXPECT_TRUE(divide_half_up(-5, 10) == -1);
  EXPECT_TRUE(divide_half_up(1, 3) == 0);
  EXPECT_TRUE(divide_half_up(2, 3) == 1);
}

TEST(Money, SumsThatDoNotFitAreNothing) {
  const Money most = Money::units(std::numeric_limits<int64_t>::max());
  EXPECT_FALSE(checked_add(most, Money::units(1)));
  EXPECT_FALSE(checked_add(-most, Money::units(-2)));
  EXPECT_EQ(checked_add(most, -most), Money());
}

RC_GTEST_PROP(MoneyProperty, TextAndBackIsTheSame, (int64_t units)) {
  const Money money = Money::units(units);
  const std::string text = money.to_string();
  RC_ASSERT(Money::parse(text) == money);
  RC_ASSERT(text.find('.') == std::string::npos || !text.ends_with('0'));
}

}  // namespace
}  // namespace deeppool::base
