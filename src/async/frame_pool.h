// Memory of coroutine frames: a free list per size class and thread, because a request makes a
// dozen frames of the same few sizes and malloc would be a tenth of its cost. A frame is freed on
// the thread that made it (coroutines stay on their loop). Sanitizer builds go to malloc, so that
// they see every frame.
#pragma once

#include <cstddef>

namespace deeppool::async {

void* frame_allocate(size_t size);
void frame_release(void* frame, size_t size);

}  // namespace deeppool::async
