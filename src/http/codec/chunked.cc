#include "http/codec/chunked.h"

#include "http/limits.h"

namespace deeppool::http {
namespace {

Error malformed(const char* what) {
  return Error(ErrorCode::invalid_request, std::string("Malformed chunked body: ") + what + ".");
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Result<void> ChunkedDecoder::take_size_digit(char c) {
  const int v = hex_digit(c);
  if (v >= 0) {
    if (++digits_ > 15) return malformed("a chunk size is too large");
    left_ = left_ * 16 + static_cast<uint64_t>(v);
    return {};
  }
  if (digits_ == 0) return malformed("a chunk size is missing");
  if (c == '\r') {
    phase_ = Phase::size_lf;
  } else if (c == ';') {
    phase_ = Phase::extension;
  } else {
    return malformed("a chunk size has characters that are not hexadecimal");
  }
  return {};
}

// The last chunk is followed by trailer lines; an empty one ends the body.
Result<void> ChunkedDecoder::take_trailer_byte(char c) {
  if (++line_bytes_ > kMaxTrailerBytes) return malformed("the trailers are too large");
  if (after_cr_) {
    if (c != '\n') return malformed("a trailer line does not end with CRLF");
    after_cr_ = false;
    if (trailer_line_ == 0) phase_ = Phase::done;
    trailer_line_ = 0;
  } else if (c == '\r') {
    after_cr_ = true;
  } else if (c == '\n') {
    return malformed("a trailer line does not end with CRLF");
  } else {
    ++trailer_line_;
  }
  return {};
}

Result<void> ChunkedDecoder::take_control_byte(char c) {
  switch (phase_) {
    case Phase::size:
      return take_size_digit(c);
    case Phase::extension:
      if (++line_bytes_ > kMaxChunkLineBytes) return malformed("a chunk extension is too long");
      if (c == '\n') return malformed("a chunk line does not end with CRLF");
      if (c == '\r') phase_ = Phase::size_lf;
      return {};
    case Phase::size_lf:
      if (c != '\n') return malformed("a chunk line does not end with CRLF");
      line_bytes_ = 0;
      digits_ = 0;
      phase_ = left_ == 0 ? Phase::trailer : Phase::data;
      return {};
    case Phase::data_cr:
      if (c != '\r') return malformed("a chunk is longer than its size says");
      phase_ = Phase::data_lf;
      return {};
    case Phase::data_lf:
      if (c != '\n') return malformed("a chunk does not end with CRLF");
      phase_ = Phase::size;
      return {};
    case Phase::trailer:
      return take_trailer_byte(c);
    case Phase::data:
    case Phase::done:
      break;
  }
  return {};
}

Result<ChunkedDecoder::Step> ChunkedDecoder::next(std::string_view& in) {
  while (phase_ != Phase::done && !in.empty()) {
    if (phase_ == Phase::data) {
      const std::string_view data = in.substr(0, left_);
      in.remove_prefix(data.size());
      left_ -= data.size();
      if (left_ == 0) phase_ = Phase::data_cr;
      return Step{State::data, data};
    }
    DP_CHECK(take_control_byte(in.front()));
    in.remove_prefix(1);
  }
  return Step{finished() ? State::end : State::need_more, {}};
}

}  // namespace deeppool::http
