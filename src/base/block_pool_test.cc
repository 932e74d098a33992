#include "base/block_pool.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <thread>
#include <utility>
#include <vector>

#include "base/random.h"

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

// Waves of all sizes, released in another order than they came, partly on another thread: every
// block keeps its content for as long as it is out.
TEST(BlockPool, WavesOfBlocksStayApart) {
  struct Out {
    size_t size;
    uint32_t mark;
    char* block;
  };
  SeededRandom random(7);
  std::vector<Out> out;
  const auto check_and_release = [](const Out& o) {
    for (size_t i = 0; i + sizeof o.mark <= o.size; i += sizeof o.mark) {
      uint32_t found = 0;
      std::memcpy(&found, o.block + i, sizeof found);
      if (found != o.mark) return false;
    }
    pool_release(o.block, o.size);
    return true;
  };
  const auto below = [&random](uint64_t n) { return random.next_u64() % n; };
  for (uint32_t mark = 1; mark < 40'000; ++mark) {
    const size_t size = 8 + below(mark % 7 == 0 ? 5000 : 700);
    auto* block = static_cast<char*>(pool_allocate(size));
    for (size_t i = 0; i + sizeof mark <= size; i += sizeof mark) {
      std::memcpy(block + i, &mark, sizeof mark);
    }
    out.push_back({size, mark, block});
    if (mark % 4'000 != 0) continue;
    const size_t kept = below(out.size());
    std::swap(out[0], out[kept]);
    std::vector<Out> elsewhere(out.begin() + 1, out.begin() + 1 + static_cast<long>(kept / 2));
    for (size_t i = 1 + kept / 2; i < out.size(); ++i) ASSERT_TRUE(check_and_release(out[i]));
    bool intact = true;
    std::thread([&] {
      for (const Out& o : elsewhere) intact = check_and_release(o) && intact;
    }).join();
    ASSERT_TRUE(intact);
    out.resize(1);
  }
  for (const Out& o : out) EXPECT_TRUE(check_and_release(o));
}

size_t resident_bytes() {
  size_t pages = 0;
  size_t resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

// What a thousand streams keep must not hold what their connecting took.
TEST(BlockPool, MemoryOfAWaveGoesBack) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "sanitizer builds use malloc";
#endif
#endif
  constexpr size_t kStreams = 4'000;
  constexpr size_t kPassing[] = {300, 700, 1200, 2000, 3000};
  constexpr size_t kLasting = 1000;
  std::vector<void*> lasting;
  std::vector<std::pair<void*, size_t>> passing;
  lasting.reserve(kStreams);
  passing.reserve(kStreams * std::size(kPassing));
  const size_t before = resident_bytes();
  for (size_t i = 0; i < kStreams; ++i) {
    for (const size_t size : kPassing) {
      passing.emplace_back(std::memset(pool_allocate(size), 1, size), size);
    }
    lasting.push_back(std::memset(pool_allocate(kLasting), 1, kLasting));
  }
  EXPECT_GT(resident_bytes() - before, kStreams * 7'000);
  for (const auto& [block, size] : passing) pool_release(block, size);
  EXPECT_LT(resident_bytes() - before, kStreams * 1'600);
  for (void* block : lasting) pool_release(block, kLasting);
}

}  // namespace
}  // namespace deeppool::base
