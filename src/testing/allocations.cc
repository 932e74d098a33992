#include "testing/allocations.h"

#include <cstdlib>
#include <new>

#if __has_feature(thread_sanitizer)

namespace deeppool::testing {
void Allocations::SetUp() {
  GTEST_SKIP() << "operator new belongs to ThreadSanitizer";
}
size_t Allocations::count() {
  return 0;
}
}  // namespace deeppool::testing

#else

namespace {
thread_local size_t t_count = 0;
}  // namespace

void* operator new(size_t size) {
  ++t_count;
  if (void* p = std::malloc(size == 0 ? 1 : size)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, size_t) noexcept {
  std::free(p);
}

namespace deeppool::testing {
void Allocations::SetUp() {}
size_t Allocations::count() {
  return t_count;
}
}  // namespace deeppool::testing

#endif
