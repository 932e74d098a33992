// Decoder of the chunked transfer coding (RFC 9112, section 7.1). Fed any split of the bytes, it
// yields the data in place, without a copy. Strict: CRLF only, at most 16 hex digits, bounded
// extensions and trailers (both are dropped).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace deeppool::http {

class ChunkedDecoder {
 public:
  enum class State { need_more, data, end };
  struct Step {
    State state;
    std::string_view data;  // with State::data, never empty; points into the input
  };
  // Takes bytes off the front of `in`. After `end`, what is left in `in` belongs to the next
  // message. Errors: invalid_request.
  Result<Step> next(std::string_view& in);
  bool finished() const { return phase_ == Phase::done; }

 private:
  enum class Phase { size, extension, size_lf, data, data_cr, data_lf, trailer, done };
  Result<void> take_control_byte(char c);
  Result<void> take_size_digit(char c);
  Result<void> take_trailer_byte(char c);

  Phase phase_ = Phase::size;
  uint64_t left_ = 0;  // of the current chunk
  int digits_ = 0;
  size_t line_bytes_ = 0;    // of the current size line, or of all trailers
  size_t trailer_line_ = 0;  // bytes of the current trailer line
  bool after_cr_ = false;
};

}  // namespace deeppool::http
