// Server-sent events: a parser for what upstreams send and a writer of what clients understand.
// The parser follows the WHATWG rules (any split of the bytes, LF, CRLF or CR, BOM, comments,
// multi-line data) and also yields a last event without its empty line, which some upstreams
// forget. The writer makes one `data:` line per event and nothing else, because ids, retry and
// event lines break clients.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace deeppool::http {

struct SseEvent {
  std::string_view type;  // empty: message
  std::string_view data;
};

class SseParser {
 public:
  // `max_event`: bytes of one event, beyond which feeding fails.
  explicit SseParser(size_t max_event) : max_event_(max_event) {}

  // Takes a piece of the stream. Call next() until it returns false, before the bytes go away and
  // before the next feed().
  void feed(std::string_view bytes) { input_ = bytes; }
  // The next event with data. Its views point into the fed bytes or into the parser, until the next
  // call. 64 readable bytes follow `data` if they follow the fed bytes. Errors: upstream_failed,
  // event too large.
  Result<bool> next(SseEvent& event);
  // At the end of the stream: an event whose empty line never came.
  bool last(SseEvent& event);

 private:
  bool take_line(std::string_view& line);
  void take_field(std::string_view line);
  void add_data(std::string_view value);
  void keep_data();

  size_t max_event_;
  std::string_view input_;
  std::string partial_;  // the start of a line that was cut by the end of a piece
  std::string joined_;   // data that cannot stay a view into the input
  std::string type_;
  std::string_view data_;
  bool has_data_ = false;
  bool yielded_ = false;          // the current event was handed out; it goes with the next call
  bool line_in_partial_ = false;  // the line just taken lies in partial_
  bool first_line_ = true;        // may start with a BOM
  bool skip_lf_ = false;          // the last line ended with CR: an LF that follows belongs to it
};

// Appends "data: <json>\n\n". `json` has no line breaks.
inline void append_sse_data(std::string& out, std::string_view json) {
  out += "data: ";
  out += json;
  out += "\n\n";
}
inline constexpr std::string_view kSseDone = "data: [DONE]\n\n";
inline constexpr std::string_view kSseHeartbeat = ": keep-alive\n\n";

}  // namespace deeppool::http
