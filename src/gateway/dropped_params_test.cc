#include "gateway/dropped_params.h"

#include <gtest/gtest.h>

#include "gateway/limits.h"

namespace deeppool::gateway {
namespace {

TEST(DroppedParams, AreASafeHeader) {
  const struct {
    std::vector<std::string> names;
    std::string value;
  } cases[] = {
      {{}, ""},
      {{"seed", "tools[0].function"}, "seed, tools[0].function"},
      {{"zz\r\nX-Evil: 1"}, "zz__X-Evil__1"},
      {{std::string("a\0b", 3), "\xc3\xa9", "a,b"}, "a_b, __, a_b"},
      {{std::string(70'000, 'x')}, std::string(kMaxDroppedNameBytes, 'x')},
  };
  for (const auto& c : cases) EXPECT_EQ(dropped_params(c.names), c.value);
}

TEST(DroppedParams, AreNotMoreThanAHeaderHolds) {
  const std::vector<std::string> names(kMaxDroppedNames + 1, "n");
  const std::string value = dropped_params(names);
  EXPECT_TRUE(value.ends_with(", n, ...")) << value;
  EXPECT_EQ(value.size(), 3 * kMaxDroppedNames + 3);
}

}  // namespace
}  // namespace deeppool::gateway
