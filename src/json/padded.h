// PaddedBytes: a growable byte buffer whose end is followed by readable bytes, so that a scanner
// may load whole vector registers without bounds checks. Owned by whoever reads a body from the
// network; not thread-safe. Invariant: [data(), data() + size() + kPadding) is always readable; the
// padding's content is unspecified.
#pragma once

#include <cstdlib>
#include <memory>
#include <string_view>

namespace deeppool::json {

// What simdjson asks for (SIMDJSON_PADDING); a static_assert in padded.cc holds us to it.
inline constexpr size_t kPadding = 64;

class PaddedBytes {
 public:
  PaddedBytes() = default;
  explicit PaddedBytes(std::string_view bytes) { append(bytes); }
  PaddedBytes(PaddedBytes&& other) noexcept { swap(other); }
  PaddedBytes& operator=(PaddedBytes&& other) noexcept {
    PaddedBytes moved(std::move(other));
    swap(moved);
    return *this;
  }

  const char* data() const { return bytes_ ? bytes_.get() : kNothing; }
  // Null until something was reserved; writable up to capacity().
  char* mutable_data() { return bytes_.get(); }
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
  struct Free {
    void operator()(char* p) const { std::free(p); }
  };
  static const char kNothing[kPadding];

  std::unique_ptr<char[], Free> bytes_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace deeppool::json
