#include "async/frame_pool.h"

#include <new>
#include <utility>

namespace deeppool::async {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define DEEPPOOL_PLAIN_FRAMES 1
#endif
#endif

#ifndef DEEPPOOL_PLAIN_FRAMES
constexpr size_t kStep = 128;    // size classes are multiples of this
constexpr size_t kClasses = 32;  // frames up to 4 KiB are pooled
constexpr size_t kKeptPerClass =
    256;  // more than a loop needs at once in steady load; the rest is freed

struct FreeFrame {
  FreeFrame* next;
};

struct Pool {
  FreeFrame* heads[kClasses] = {};
  size_t counts[kClasses] = {};
  ~Pool() {
    for (FreeFrame* head : heads) {
      while (head != nullptr) ::operator delete(std::exchange(head, head->next));
    }
  }
};

thread_local Pool t_pool;
#endif

}  // namespace

#ifdef DEEPPOOL_PLAIN_FRAMES
void* frame_allocate(size_t size) {
  return ::operator new(size);
}
void frame_release(void* frame, size_t) {
  ::operator delete(frame);
}
#else
void* frame_allocate(size_t size) {
  const size_t index = (size - 1) / kStep;
  if (index >= kClasses) return ::operator new(size);
  FreeFrame*& head = t_pool.heads[index];
  if (head == nullptr) return ::operator new((index + 1) * kStep);
  --t_pool.counts[index];
  return std::exchange(head, head->next);
}

void frame_release(void* frame, size_t size) {
  const size_t index = (size - 1) / kStep;
  if (index >= kClasses || t_pool.counts[index] >= kKeptPerClass) return ::operator delete(frame);
  auto* free_frame = static_cast<FreeFrame*>(frame);
  free_frame->next = t_pool.heads[index];
  t_pool.heads[index] = free_frame;
  ++t_pool.counts[index];
}
#endif

}  // namespace deeppool::async
