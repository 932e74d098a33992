#include "base/block_pool.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace deeppool::base {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define DEEPPOOL_PLAIN_BLOCKS 1
#endif
#endif

void* checked(void* block) {
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

#ifndef DEEPPOOL_PLAIN_BLOCKS
constexpr size_t kClasses = kLargestPooled / kPoolStep;
// More than a loop needs at once in steady load; the rest is freed.
constexpr size_t kKeptPerClass = 256;

struct FreeBlock {
  FreeBlock* next;
};

struct Pool {
  FreeBlock* heads[kClasses];
  size_t counts[kClasses];
};

// Without constructor and destructor, so that reaching it costs no check whether it was made.
constinit thread_local Pool t_pool{};

// Frees a thread's blocks at its end. Made by its first allocation that finds none.
struct Drain {
  ~Drain() {
    for (FreeBlock*& head : t_pool.heads) {
      while (head != nullptr) std::free(std::exchange(head, head->next));
    }
    for (size_t& count : t_pool.counts) count = kKeptPerClass;  // what dies later is freed at once
  }
  void* allocate(size_t size) { return checked(std::malloc(size)); }
};

void* allocate_anew(size_t size) {
  thread_local Drain drain;
  return drain.allocate(size);
}
#endif

}  // namespace

#ifdef DEEPPOOL_PLAIN_BLOCKS
void* pool_allocate(size_t size) {
  return checked(std::malloc(size));
}
void pool_release(void* block, size_t) {
  std::free(block);
}
#else
void* pool_allocate(size_t size) {
  const size_t index = (size - 1) / kPoolStep;
  if (index >= kClasses) return checked(std::malloc(size));
  FreeBlock*& head = t_pool.heads[index];
  if (head == nullptr) return allocate_anew((index + 1) * kPoolStep);
  --t_pool.counts[index];
  return std::exchange(head, head->next);
}

void pool_release(void* block, size_t size) {
  if (block == nullptr) return;
  const size_t index = (size - 1) / kPoolStep;
  if (index >= kClasses || t_pool.counts[index] >= kKeptPerClass) return std::free(block);
  auto* free_block = static_cast<FreeBlock*>(block);
  free_block->next = t_pool.heads[index];
  t_pool.heads[index] = free_block;
  ++t_pool.counts[index];
}
#endif

void* pool_grow(void* block, size_t had, size_t used, size_t size) {
  // Large blocks may grow in place.
  if (had > kLargestPooled && size > kLargestPooled) return checked(std::realloc(block, size));
  void* const grown = pool_allocate(size);
  if (used > 0) std::memcpy(grown, block, used);
  pool_release(block, had);
  return grown;
}

}  // namespace deeppool::base
