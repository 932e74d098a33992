// Memory of what every request makes anew: coroutine frames, heads, log lines, bodies. Blocks of
// one size class lie together in spans, so that what lives for a moment does not keep the pages of
// what lives as long as a stream: the memory of a span goes back when its last block does, and a
// wave of requests leaves nothing behind. Each thread has spans of its own; a block may be released
// on any thread. Sanitizer builds go to malloc, so that they see every block.
#pragma once

#include <cstddef>

namespace deeppool::base {

inline constexpr size_t kPoolStep = 32;         // size classes are multiples of this
inline constexpr size_t kBufferStep = 128;      // buffers are of any size: they share classes
inline constexpr size_t kLargestPooled = 4096;  // larger blocks come from malloc as they are

// What a buffer for `size` bytes best asks for, to use it all.
constexpr size_t pool_size(size_t size) {
  return size > kLargestPooled ? size : (size + kBufferStep - 1) / kBufferStep * kBufferStep;
}
// Throws bad_alloc. `size` > 0.
void* pool_allocate(size_t size);
// `size` as it was asked for.
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
