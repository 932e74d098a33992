#include "http/sse.h"

#include "base/text.h"
#include "json/padded.h"

namespace deeppool::http {

bool SseParser::take_line(std::string_view& line) {
  if (line_in_partial_) {
    partial_.clear();
    line_in_partial_ = false;
  }
  if (skip_lf_ && !input_.empty()) {
    if (input_.front() == '\n') input_.remove_prefix(1);
    skip_lf_ = false;
  }
  size_t end = input_.find('\n');
  const size_t cr = input_.substr(0, end).find('\r');
  if (cr != std::string_view::npos) end = cr;
  if (end == std::string_view::npos) {
    partial_ += input_;
    input_ = {};
    return false;
  }
  line = input_.substr(0, end);
  skip_lf_ = input_[end] == '\r';
  input_.remove_prefix(end + 1);
  if (!partial_.empty()) {
    partial_ += line;
    line = partial_;
    line_in_partial_ = true;
  }
  if (first_line_ && line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);
  first_line_ = false;
  return true;
}

// Moves the data out of bytes that are about to go away.
void SseParser::keep_data() {
  if (!has_data_ || data_.data() == joined_.data()) return;
  joined_.reserve(data_.size() + json::kPadding);
  joined_ = data_;
  data_ = joined_;
}

void SseParser::add_data(std::string_view value) {
  if (!has_data_) {
    has_data_ = true;
    data_ = value;
    if (line_in_partial_) keep_data();
    return;
  }
  keep_data();
  joined_.reserve(joined_.size() + 1 + value.size() + json::kPadding);
  joined_ += '\n';
  joined_ += value;
  data_ = joined_;
}

void SseParser::take_field(std::string_view line) {
  const size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "data") {
    add_data(value);
  } else if (name == "event") {
    type_ = value;
  }
  // Comments (an empty name), id and retry carry nothing for us.
}

Result<bool> SseParser::next(SseEvent& event) {
  if (yielded_) {
    yielded_ = false;
    has_data_ = false;
    type_.clear();
  }
  std::string_view line;
  while (take_line(line)) {
    if (!line.empty()) {
      take_field(line);
    } else if (has_data_) {
      event = {type_, data_};
      yielded_ = true;
      return true;
    } else {
      type_.clear();
    }
    if (has_data_ && data_.size() > max_event_) break;
  }
  if (partial_.size() > max_event_ || (has_data_ && data_.size() > max_event_)) {
    return Error(ErrorCode::upstream_failed, "The upstream sent an event that is too large.");
  }
  keep_data();
  return false;
}

bool SseParser::last(SseEvent& event) {
  if (yielded_) return false;
  if (!partial_.empty() && !line_in_partial_) {
    line_in_partial_ = true;
    std::string_view line = partial_;
    if (first_line_ && line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);
    take_field(line);
  }
  if (!has_data_) return false;
  event = {type_, data_};
  yielded_ = true;
  return true;
}

}  // namespace deeppool::http
