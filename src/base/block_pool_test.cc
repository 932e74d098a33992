#include "base/block_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

namespace deeppool::base {
namespace {

TEST(BlockPool, BlocksOfAllSizesAreWritableAndApart) {
  for (int round = 0; round < 3; ++round) {
    std::vector<char*> blocks;
    for (size_t size = 1; size < 6000; size += 37) {
      auto* block = static_cast<char*>(pool_allocate(size));
      std::memset(block, static_cast<int>(size & 0x7f), size);
      blocks.push_back(block);
    }
    size_t at = 0;
    for (size_t size = 1; size < 6000; size += 37, ++at) {
      EXPECT_EQ(blocks[at][0], static_cast<char>(size & 0x7f));
      EXPECT_EQ(blocks[at][size - 1], static_cast<char>(size & 0x7f));
      pool_release(blocks[at], size);
    }
  }
  pool_release(nullptr, 64);
}

TEST(BlockPool, GrowingKeepsWhatWasUsed) {
  char* block = nullptr;
  size_t had = 0;
  for (size_t size = 1; size < 20'000; size = size * 3 / 2 + 1) {
    block = static_cast<char*>(pool_grow(block, had, had, size));
    for (size_t i = 0; i < had; ++i) ASSERT_EQ(block[i], static_cast<char>(i));
    for (size_t i = had; i < size; ++i) block[i] = static_cast<char>(i);
    had = size;
  }
  pool_release(block, had);
}

TEST(BlockPool, AnotherThreadMayRelease) {
  void* const block = pool_allocate(300);
  std::thread([block] { pool_release(block, 300); }).join();
  std::thread([] { pool_release(pool_allocate(300), 300); }).join();
}

}  // namespace
}  // namespace deeppool::base
