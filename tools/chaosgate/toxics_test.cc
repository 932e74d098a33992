#include "chaosgate/toxics.h"

#include <gtest/gtest.h>

namespace deeppool::chaos {
namespace {

TEST(Toxics, AreSetByName) {
  Toxics toxics;
  EXPECT_TRUE(toxics.set("up.delay_ms=50").ok());
  EXPECT_TRUE(toxics.set("down.slice=1").ok());
  EXPECT_TRUE(toxics.set("refuse=1").ok());
  EXPECT_EQ(toxics.up.delay_ms, 50);
  EXPECT_EQ(toxics.down.delay_ms, 0);
  EXPECT_EQ(toxics.down.slice, 1);
  EXPECT_EQ(toxics.refuse, 1);
  for (const char* bad : {"", "up", "up.delay_ms", "up.delay_ms=", "up.delay_ms=-1",
                          "side.delay_ms=1", "up.nothing=1", "delay_ms=1"}) {
    EXPECT_FALSE(toxics.set(bad).ok()) << bad;
  }
}

TEST(Toxics, CorruptCountsOverPieces) {
  std::string first = "aaa";
  std::string second = "aaa";
  corrupt(first, 2, 0);
  corrupt(second, 2, 3);
  EXPECT_EQ(first + second, "a`a`a`");
  corrupt(first, 0, 0);
  EXPECT_EQ(first, "a`a");
}

}  // namespace
}  // namespace deeppool::chaos
