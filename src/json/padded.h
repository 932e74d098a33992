// PaddedBytes: a growable byte buffer whose end is followed by readable bytes, so that a scanner
// may load whole vector registers without bounds checks. Owned by whoever reads a body from the
// network; not thread-safe. Invariant: [data(), data() + size() + kPadding) is always readable; the
// padding's content is unspecified.
#pragma once

#include <string_view>

#include "base/block_pool.h"

namespace deeppool::json {

// What simdjson asks for (SIMDJSON_PADDING); a static_assert in padded.cc holds us to it.
inline constexpr size_t kPadding = 64;

class PaddedBytes {
 public:
  PaddedBytes() = default;
  explicit PaddedBytes(std::string_view bytes) { append(bytes); }
  PaddedBytes(PaddedBytes&& other) noexcept { swap(other); }
  ~PaddedBytes() { base::pool_release(bytes_, capacity_ + kPadding); }
  PaddedBytes& operator=(PaddedBytes&& other) noexcept {
    PaddedBytes moved(std::move(other));
    swap(moved);
    return *this;
  }

  const char* data() const { return bytes_ != nullptr ? bytes_ : kNothing; }
  // Null until something was reserved; writable up to capacity().
  char* mutable_data() { return bytes_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  size_t capacity() const { return capacity_; }
  std::string_view view() const { return {data(), size_}; }

  void reserve(size_t capacity);
  // Grows geometrically.
  void append(std::string_view bytes);
  // Sets the size; new bytes are uninitialised, to be written through mutable_data().
  void resize_for_overwrite(size_t size);
  void clear() { size_ = 0; }
  // Gives the memory back, as an idle connection must.
  void release() { PaddedBytes().swap(*this); }
  void swap(PaddedBytes& other) noexcept;

 private:
  void clear_padding();
  static const char kNothing[kPadding];

  char* bytes_ = nullptr;  // of the block pool
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace deeppool::json
