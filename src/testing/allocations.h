// Counts what code takes from the heap. A program that uses it has its operator new replaced, all
// over; ThreadSanitizer brings its own, so that the tests of this fixture are skipped there.
#pragma once

#include <gtest/gtest.h>

namespace deeppool::testing {

class Allocations : public ::testing::Test {
 public:
  // By this thread, through operator new, so far.
  static size_t count();

 protected:
  void SetUp() override;
};

}  // namespace deeppool::testing
