#include "json/padded.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace deeppool::json {

static_assert(kPadding >= simdjson::SIMDJSON_PADDING);

const char PaddedBytes::kNothing[kPadding] = {};

void PaddedBytes::reserve(size_t capacity) {
  if (capacity <= capacity_) return;
  const size_t size = base::pool_size(capacity + kPadding);
  const size_t had = bytes_ == nullptr ? 0 : capacity_ + kPadding;
  bytes_ = static_cast<char*>(base::pool_grow(bytes_, had, size_, size));
  capacity_ = size - kPadding;
  clear_padding();
}

void PaddedBytes::append(std::string_view bytes) {
  if (bytes.empty()) return;
  if (bytes.size() > capacity_ - size_) reserve(std::max(size_ + bytes.size(), 2 * capacity_));
  std::memcpy(bytes_ + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
  clear_padding();
}

void PaddedBytes::resize_for_overwrite(size_t size) {
  reserve(size);
  size_ = size;
  if (bytes_ != nullptr) clear_padding();
}

// Nobody reads meaning out of the padding, but reading it uninitialised would trip checkers.
void PaddedBytes::clear_padding() {
  std::memset(bytes_ + size_, 0, kPadding);
}

void PaddedBytes::swap(PaddedBytes& other) noexcept {
  std::swap(bytes_, other.bytes_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
}

}  // namespace deeppool::json
