#include "base/text_buffer.h"

#include <algorithm>

#include "base/text.h"

namespace deeppool::base {

void TextBuffer::grow(size_t more) {
  const size_t capacity = pool_size(std::max(size_ + more, 2 * capacity_));
  bytes_ = static_cast<char*>(pool_grow(bytes_, capacity_, size_, capacity));
  capacity_ = capacity;
}

void TextBuffer::put_json_string(std::string_view text) {
  if (plain_json(text)) return put('"', text, '"');
  std::string quoted;
  append_json_string(quoted, text);
  put(std::string_view(quoted));
}

}  // namespace deeppool::base
