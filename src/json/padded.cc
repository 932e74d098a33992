#include "json/padded.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace deeppool::json {

static_assert(kPadding >= simdjson::SIMDJSON_PADDING);

const char PaddedBytes::kNothing[kPadding] = {};

void PaddedBytes::reserve(size_t capacity) {
  if (capacity <= capacity_) return;
  auto* grown = static_cast<char*>(std::realloc(bytes_.get(), capacity + kPadding));
  if (grown == nullptr) throw std::bad_alloc();
  (void)bytes_.release();
  bytes_.reset(grown);
  capacity_ = capacity;
  clear_padding();
}

void PaddedBytes::append(std::string_view bytes) {
  if (bytes.empty()) return;
  if (bytes.size() > capacity_ - size_) reserve(std::max(size_ + bytes.size(), 2 * capacity_));
  std::memcpy(bytes_.get() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
  clear_padding();
}

void PaddedBytes::resize_for_overwrite(size_t size) {
  reserve(size);
  size_ = size;
  if (bytes_) clear_padding();
}

// Nobody reads meaning out of the padding, but reading it uninitialised would trip checkers.
void PaddedBytes::clear_padding() {
  std::memset(bytes_.get() + size_, 0, kPadding);
}

void PaddedBytes::swap(PaddedBytes& other) noexcept {
  std::swap(bytes_, other.bytes_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
}

}  // namespace deeppool::json
