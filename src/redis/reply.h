// Replies of a Redis server (RESP2, https://redis.io/docs/latest/develop/reference/protocol-spec/)
// and the strict, bounded parser of them. A parser belongs to one exchange. Invariant: what it
// accepts does not depend on how the bytes were cut.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace deeppool::redis {

struct Reply {
  enum class Kind { nil, status, error, integer, text, array };
  Kind kind = Kind::nil;
  std::string text;  // of status, error and text
  int64_t integer = 0;
  std::vector<Reply> items;  // of array

  bool operator==(const Reply&) const = default;
};

class ReplyParser {
 public:
  // True when the reply is whole: take() it. Errors (upstream_failed): not RESP2, beyond a bound of
  // limits.h, or bytes after the reply, which nobody asked for. After an error the parser is done
  // for.
  Result<bool> feed(std::string_view bytes);
  Reply take() { return std::move(root_); }

 private:
  enum class Step { needs_more, whole };
  struct Level {
    Reply* array;
    int64_t left;
  };
  Result<Step> step();
  Result<Step> read_header(std::string_view line);
  Result<void> open_array(int64_t count);
  Reply& place();
  bool close_full_arrays();

  std::string bytes_;  // what is not consumed yet begins at at_
  size_t at_ = 0;
  size_t scanned_ = 0;  // no line end before it
  size_t total_ = 0;
  int64_t text_left_ = -1;  // length of the text being read; -1: none
  Reply root_;
  bool whole_ = false;
  std::vector<Level> open_;
};

}  // namespace deeppool::redis
