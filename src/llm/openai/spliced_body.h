// SplicedBody: a text made of slices of one source and a few replacements, ready for a gathering
// write: nothing is copied but the replacements. Made per request by splice() and
// rewrite_response(); not thread-safe. The source and the borrowed replacements must outlive it.
// Movable: owned pieces keep their addresses.
#pragma once

#include <array>
#include <cstdint>
#include <forward_list>
#include <span>
#include <string>
#include <string_view>

#include "base/block_pool.h"
#include "base/text.h"

namespace deeppool::llm {

class SplicedBody {
 public:
  // Seven edits and the text between them: model, stream_options, a limit in two places, a message
  // and members take at most six in a request. With more, everything is copied into one.
  static constexpr size_t kMaxPieces = 16;

  SplicedBody() = default;
  explicit SplicedBody(std::string_view source) : source_(source) {}
  SplicedBody(SplicedBody&&) = default;
  SplicedBody& operator=(SplicedBody&&) = default;

  // Edits go from front to back: source[begin, end) becomes `text`, which is borrowed.
  void replace(size_t begin, size_t end, std::string_view text) {
    add(source_.substr(done_, begin - done_));
    add(text);
    done_ = end;
  }
  void insert(size_t at, std::string_view text) { replace(at, at, text); }
  // The JSON value source[begin, end) becomes the string `text`, borrowed if it needs no escapes.
  void replace_with_string(size_t begin, size_t end, std::string_view text) {
    if (source_[begin] == '"' && base::plain_json(text)) {
      replace(begin + 1, end - 1, text);
    } else {
      std::string quoted;
      base::append_json_string(quoted, text);
      replace(begin, end, own(std::move(quoted)));
    }
  }
  // Keeps `text` for as long as this lives.
  std::string_view own(std::string text) { return owned_.emplace_front(std::move(text)); }
  // After the last edit.
  void finish() {
    add(source_.substr(done_));
    done_ = source_.size();
  }

  std::span<const std::string_view> pieces() const { return {pieces_.data(), count_}; }
  size_t size() const { return size_; }
  std::string to_string() const {
    std::string text;
    text.reserve(size_);
    for (const std::string_view piece : pieces()) text += piece;
    return text;
  }

 private:
  void add(std::string_view piece) {
    if (piece.empty()) return;
    size_ += piece.size();
    if (flat_ == nullptr && count_ < kMaxPieces) {
      pieces_[count_++] = piece;
      return;
    }
    // More than a gathering write should take: from here on it is one text.
    if (flat_ == nullptr) {
      std::string text;
      text.reserve(source_.size() + piece.size());
      for (const std::string_view earlier : pieces()) text += earlier;
      flat_ = &owned_.emplace_front(std::move(text));
      count_ = 1;
    }
    flat_->append(piece);
    pieces_[0] = *flat_;
  }

  std::array<std::string_view, kMaxPieces> pieces_;
  size_t count_ = 0;
  size_t size_ = 0;
  std::string_view source_;
  size_t done_ = 0;
  std::forward_list<std::string, base::PoolAllocator<std::string>> owned_;
  std::string* flat_ = nullptr;  // among `owned_`: all of it, once there were too many pieces
};

}  // namespace deeppool::llm
