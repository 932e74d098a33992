// Memory of what every request makes anew: coroutine frames, heads, log lines, bodies. A free list
// per size class and thread, because malloc and free would be a tenth of a request's cost (and
// twice that above 1 KiB, where glibc keeps no list per thread). A block may be released on another
// thread than it was allocated on; it then serves that one. Sanitizer builds go to malloc, so that
// they see every block.
#pragma once

#include <cstddef>

namespace deeppool::base {

inline constexpr size_t kPoolStep = 128;        // size classes are multiples of this
inline constexpr size_t kLargestPooled = 4096;  // larger blocks come from malloc as they are

// What a block for `size` bytes really holds: who can use the rest may.
constexpr size_t pool_size(size_t size) {
  return size > kLargestPooled ? size : (size + kPoolStep - 1) / kPoolStep * kPoolStep;
}
// Throws bad_alloc. `size` > 0.
void* pool_allocate(size_t size);
// `size` as it was asked for, or anything else of the same pool_size().
void pool_release(void* block, size_t size);
// A block for `size` bytes that begins with the first `used` bytes of `block`, which is released.
// `had`: its size; null and 0 for none.
void* pool_grow(void* block, size_t had, size_t used, size_t size);

// For coroutine promises and other classes: their own operator new and delete.
struct Pooled {
  static void* operator new(size_t size) { return pool_allocate(size); }
  static void operator delete(void* block, size_t size) { pool_release(block, size); }
};

// For containers that a request makes and drops.
template <class T>
struct PoolAllocator {
  using value_type = T;
  PoolAllocator() = default;
  template <class U>
  PoolAllocator(const PoolAllocator<U>&) {}
  T* allocate(size_t n) { return static_cast<T*>(pool_allocate(n * sizeof(T))); }
  void deallocate(T* block, size_t n) { pool_release(block, n * sizeof(T)); }
  friend bool operator==(PoolAllocator, PoolAllocator) { return true; }
};

}  // namespace deeppool::base
