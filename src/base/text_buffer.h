// TextBuffer: text that grows at its end: the heads and the log lines that every request writes.
// Plain value with one owner; not thread-safe. Takes several pieces with one look at the room that
// is left and never fills what it is about to write, so that constant pieces become plain stores:
// a header or a log member costs a quarter of what std::string takes for it.
#pragma once

#include <charconv>
#include <concepts>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/block_pool.h"

namespace deeppool::base {

class TextBuffer {
 public:
  TextBuffer() = default;
  TextBuffer(TextBuffer&& other) noexcept { swap(other); }
  ~TextBuffer() { pool_release(bytes_, capacity_); }
  TextBuffer& operator=(TextBuffer&& other) noexcept {
    TextBuffer moved(std::move(other));
    swap(moved);
    return *this;
  }

  // Each piece is a text (of other memory than this), a character or an integer.
  template <class... Piece>
  void put(const Piece&... pieces) {
    char* at = room((longest(pieces) + ...));
    ((at = write(at, pieces)), ...);
    size_ = static_cast<size_t>(at - bytes_);
  }
  // As a JSON string with its quotes; bytes that are not valid UTF-8 become U+FFFD.
  void put_json_string(std::string_view text);

  std::string_view view() const { return {bytes_, size_}; }
  operator std::string_view() const { return view(); }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void clear() { size_ = 0; }
  void reserve(size_t capacity) {
    if (capacity > capacity_) grow(capacity - size_);
  }
  // Gives the memory back.
  void release() { TextBuffer().swap(*this); }

 private:
  static constexpr size_t kLongestInteger = 20;

  static size_t longest(std::string_view text) { return text.size(); }
  template <size_t N>
  static constexpr size_t longest(const char (&)[N]) {
    return N - 1;
  }
  static constexpr size_t longest(char) { return 1; }
  template <std::integral Int>
  static constexpr size_t longest(Int) {
    return kLongestInteger;
  }

  static char* write(char* at, std::string_view text) {
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
    return at + text.size();
  }
  template <size_t N>
  static char* write(char* at, const char (&text)[N]) {
    std::memcpy(at, text, N - 1);
    return at + (N - 1);
  }
  static char* write(char* at, char c) {
    *at = c;
    return at + 1;
  }
  template <std::integral Int>
  static char* write(char* at, Int value) {
    return std::to_chars(at, at + kLongestInteger, value).ptr;
  }

  // Where the next `size` bytes go.
  char* room(size_t size) {
    if (size > capacity_ - size_) grow(size);
    return bytes_ + size_;
  }
  void grow(size_t more);
  void swap(TextBuffer& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  char* bytes_ = nullptr;  // of the block pool
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace deeppool::base
