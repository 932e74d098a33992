#include "idempotency/capture.h"

#include "idempotency/limits.h"

namespace deeppool::idempotency {

bool Budget::take(int64_t bytes) {
  if (left_.fetch_sub(bytes, std::memory_order_relaxed) >= bytes) return true;
  give_back(bytes);
  return false;
}

void Capture::add(std::string_view bytes) {
  if (!complete_) return;
  const bool fits = bytes_.size() + bytes.size() <= kMaxAnswerBytes;
  if (fits && budget_.take(static_cast<int64_t>(bytes.size()))) {
    bytes_ += bytes;
    return;
  }
  complete_ = false;
  drop();
}

void Capture::drop() {
  budget_.give_back(static_cast<int64_t>(bytes_.size()));
  bytes_.clear();
  bytes_.shrink_to_fit();
}

}  // namespace deeppool::idempotency
