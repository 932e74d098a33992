#include "base/block_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

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
constexpr size_t kSizes = kLargestPooled / kPoolStep;
// Frames and objects, then buffers: of like size they differ in how long they live.
constexpr size_t kFirstOfBuffers = kSizes;
constexpr size_t kClasses = 2 * kSizes;
constexpr size_t kSpanBytes = 32 * 1024;  // aligned alike: a block's address tells its span
// Empty ones that a thread keeps: more than steady load empties and needs again.
constexpr size_t kKeptSpans = 16;
constexpr size_t kSpansPerMapping = 128;
// Blocks are made a page at a time: a class that is hardly used costs no more.
constexpr size_t kMadeAtOnce = 4096;

struct Block {
  Block* next;
};

class Pool;

// Blocks of one class, behind this head. It is open (its pool takes blocks from it), listed among
// those with room, full, or empty.
struct alignas(kPoolStep) Span {
  Pool* owner = nullptr;
  Block* free = nullptr;
  uint32_t used = 0;           // blocks that are out
  uint32_t made = kSpanBytes;  // up to here its bytes are blocks
  uint32_t index = 0;          // of the class
  bool has_room = false;       // open or listed
  Span* next = nullptr;        // in the list
  Span* previous = nullptr;

  // False: all were made.
  bool make_blocks() {
    const size_t size = (index % kSizes + 1) * kPoolStep;
    const size_t end = std::min(kSpanBytes, made + std::max(size, kMadeAtOnce));
    if (made + size > end) return false;
    Block** tail = &free;
    for (; made + size <= end; made += static_cast<uint32_t>(size)) {
      *tail = reinterpret_cast<Block*>(reinterpret_cast<char*>(this) + made);
      tail = &(*tail)->next;
    }
    *tail = nullptr;
    return true;
  }
};

Span* span_of(void* block) {
  return reinterpret_cast<Span*>(reinterpret_cast<uintptr_t>(block) & ~(kSpanBytes - 1));
}

constinit Span g_full;  // what is open where nothing was allocated yet

// The spans of a thread. Never destroyed, because blocks outlive threads: the next thread to start
// goes on with it.
class Pool {
 public:
  constexpr Pool() {
    for (Span*& span : open_) span = &g_full;
  }
  // Null: see allocate_anew().
  void* allocate(size_t index) {
    Span* const span = open_[index];
    Block* const block = span->free;
    if (block == nullptr) return nullptr;
    span->free = block->next;
    ++span->used;
    return block;
  }
  void* allocate_anew(size_t index);
  void release(Span* span, Block* block) {
    block->next = span->free;
    span->free = block;
    if (--span->used == 0 || !span->has_room) sort_in(span);
  }
  // From another thread.
  void give_back(Block* block) {
    block->next = given_back_.load(std::memory_order_relaxed);
    while (!given_back_.compare_exchange_weak(block->next, block, std::memory_order_release,
                                              std::memory_order_relaxed)) {
    }
  }

 private:
  [[gnu::noinline]] void sort_in(Span* span);
  void collect();
  void list(Span* span);
  void unlist(Span* span);
  void retire(Span* span);
  Span* empty_span(size_t index);

  Span* open_[kClasses];
  Span* listed_[kClasses] = {};
  Span* kept_[kKeptSpans] = {};
  size_t kept_count_ = 0;
  std::atomic<Block*> given_back_{nullptr};
};

// What the threads share.
struct Common {
  std::mutex mutex;
  std::vector<Span*> unused;  // their memory is with the system
  std::vector<Pool*> vacant;  // their threads have ended
};
Common& common() {
  static Common& common = *new Common;  // blocks are released until the very end of the program
  return common;
}

constinit Pool g_none;  // of a thread that has allocated nothing
constinit thread_local Pool* t_pool = &g_none;

Span* unused_span() {
  Common& all = common();
  const std::lock_guard lock(all.mutex);
  if (all.unused.empty()) {
    constexpr size_t kBytes = kSpanBytes * (kSpansPerMapping + 1);  // one more, to align
    void* const mapped = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    char* const first =
        reinterpret_cast<char*>(span_of(static_cast<char*>(mapped) + kSpanBytes - 1));
    for (size_t i = kSpansPerMapping; i-- > 0;) {
      all.unused.push_back(reinterpret_cast<Span*>(first + i * kSpanBytes));
    }
  }
  Span* const span = all.unused.back();
  all.unused.pop_back();
  return span;
}

Span* Pool::empty_span(size_t index) {
  Span* const place = kept_count_ > 0 ? kept_[--kept_count_] : unused_span();
  Span* const span = new (place) Span;
  span->owner = this;
  span->index = static_cast<uint32_t>(index);
  span->made = sizeof(Span);
  span->has_room = true;
  span->make_blocks();
  return span;
}

void* Pool::allocate_anew(size_t index) {
  collect();
  Span*& span = open_[index];
  if (span->free == nullptr && !span->make_blocks()) {
    Span* next = listed_[index];
    if (next != nullptr) {
      unlist(next);
    } else {
      next = empty_span(index);
    }
    if (span != &g_full) span->has_room = false;
    span = next;
  }
  return allocate(index);
}

// A block came back to a span that was full, or is empty now.
void Pool::sort_in(Span* span) {
  if (!span->has_room) list(span);
  if (span->used == 0 && open_[span->index] != span) retire(span);
}

void Pool::collect() {
  if (given_back_.load(std::memory_order_relaxed) == nullptr) return;
  Block* block = given_back_.exchange(nullptr, std::memory_order_acquire);
  while (block != nullptr) {
    Block* const next = block->next;
    release(span_of(block), block);
    block = next;
  }
}

// At the front: the fullest are filled first, and the others get a chance to become empty.
void Pool::list(Span* span) {
  Span*& first = listed_[span->index];
  span->has_room = true;
  span->previous = nullptr;
  span->next = first;
  if (first != nullptr) first->previous = span;
  first = span;
}

void Pool::unlist(Span* span) {
  (span->previous != nullptr ? span->previous->next : listed_[span->index]) = span->next;
  if (span->next != nullptr) span->next->previous = span->previous;
}

void Pool::retire(Span* span) {
  unlist(span);
  if (kept_count_ < kKeptSpans) {
    kept_[kept_count_++] = span;
    return;
  }
  madvise(span, kSpanBytes, MADV_DONTNEED);
  const std::lock_guard lock(common().mutex);
  common().unused.push_back(span);
}

Pool* vacant_pool() {
  Common& all = common();
  const std::lock_guard lock(all.mutex);
  if (all.vacant.empty()) return std::make_unique<Pool>().release();
  Pool* const pool = all.vacant.back();
  all.vacant.pop_back();
  return pool;
}

struct Tenancy {
  ~Tenancy() {
    const std::lock_guard lock(common().mutex);
    common().vacant.push_back(std::exchange(t_pool, &g_none));
  }
};

void* allocate_anew(size_t index) {
  if (t_pool == &g_none) {
    t_pool = vacant_pool();
    thread_local Tenancy tenancy;
  }
  return t_pool->allocate_anew(index);
}

// `first`: 0, or kFirstOfBuffers.
void* allocate(size_t first, size_t size) {
  const size_t of_size = (size - 1) / kPoolStep;
  if (of_size >= kSizes) return checked(std::malloc(size));
  void* const block = t_pool->allocate(first + of_size);
  return block != nullptr ? block : allocate_anew(first + of_size);
}
#else
constexpr size_t kFirstOfBuffers = 0;
void* allocate(size_t, size_t size) {
  return checked(std::malloc(size));
}
#endif

}  // namespace

void* pool_allocate(size_t size) {
  return allocate(0, size);
}

#ifdef DEEPPOOL_PLAIN_BLOCKS
void pool_release(void* block, size_t) {
  std::free(block);
}
#else
void pool_release(void* block, size_t size) {
  if (block == nullptr) return;
  if ((size - 1) / kPoolStep >= kSizes) return std::free(block);
  Span* const span = span_of(block);
  if (span->owner != t_pool) return span->owner->give_back(static_cast<Block*>(block));
  t_pool->release(span, static_cast<Block*>(block));
}
#endif

void* pool_grow(void* block, size_t had, size_t used, size_t size) {
  // Large blocks may grow in place.
  if (had > kLargestPooled && size > kLargestPooled) return checked(std::realloc(block, size));
  void* const grown = allocate(kFirstOfBuffers, size);
  if (used > 0) std::memcpy(grown, block, used);
  pool_release(block, had);
  return grown;
}

}  // namespace deeppool::base
