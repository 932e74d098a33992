#include "redis/reply.h"

#include <algorithm>

#include "base/text.h"
#include "redis/limits.h"

namespace deeppool::redis {
namespace {

Error malformed(const char* what) {
  return Error(ErrorCode::upstream_failed, "Redis answered wrongly.", what);
}

}  // namespace

Result<bool> ReplyParser::feed(std::string_view bytes) {
  total_ += bytes.size();
  if (total_ > kMaxReplyBytes) return malformed("a reply is too large");
  bytes_.append(bytes);
  while (!whole_) {
    DP_TRY(const Step done, step());
    if (done == Step::needs_more) return false;
  }
  if (at_ != bytes_.size()) return malformed("bytes after a reply");
  return true;
}

// Consumes one header line or one text.
Result<ReplyParser::Step> ReplyParser::step() {
  if (text_left_ >= 0) {
    const auto length = static_cast<size_t>(text_left_);
    if (bytes_.size() - at_ < length + 2) return Step::needs_more;
    if (bytes_[at_ + length] != '\r' || bytes_[at_ + length + 1] != '\n') {
      return malformed("a text does not end where it said");
    }
    Reply& reply = place();
    reply.kind = Reply::Kind::text;
    reply.text.assign(bytes_, at_, length);
    at_ += length + 2;
    scanned_ = at_;
    text_left_ = -1;
    whole_ = close_full_arrays();
    return Step::whole;
  }
  const size_t end = bytes_.find('\n', scanned_);
  if (end == std::string::npos) {
    scanned_ = bytes_.size();
    if (bytes_.size() - at_ > kMaxReplyLine) return malformed("a line is too long");
    return Step::needs_more;
  }
  if (end - at_ > kMaxReplyLine) return malformed("a line is too long");
  if (end < at_ + 2 || bytes_[end - 1] != '\r') return malformed("a line without CRLF");
  const std::string line = bytes_.substr(at_, end - 1 - at_);
  at_ = scanned_ = end + 1;
  return read_header(line);
}

Result<ReplyParser::Step> ReplyParser::read_header(std::string_view line) {
  const std::string_view rest = line.substr(1);
  if (rest.find('\r') != std::string_view::npos) return malformed("a stray CR");
  if (line.front() == '+' || line.front() == '-') {
    Reply& reply = place();
    reply.kind = line.front() == '+' ? Reply::Kind::status : Reply::Kind::error;
    reply.text = rest;
    whole_ = close_full_arrays();
    return Step::whole;
  }
  const auto number = base::parse_int<int64_t>(rest);
  if (!number) return malformed("not a number where one must be");
  if (line.front() == ':') {
    Reply& reply = place();
    reply.kind = Reply::Kind::integer;
    reply.integer = *number;
    whole_ = close_full_arrays();
    return Step::whole;
  }
  if (line.front() != '$' && line.front() != '*') return malformed("not a reply of RESP2");
  if (*number < -1) return malformed("a negative length");
  if (*number == -1) {
    place();  // nil, as it is born
    whole_ = close_full_arrays();
  } else if (line.front() == '*') {
    DP_CHECK(open_array(*number));
  } else {
    if (*number > static_cast<int64_t>(kMaxReplyBytes)) return malformed("a reply is too large");
    text_left_ = *number;
  }
  return Step::whole;
}

Result<void> ReplyParser::open_array(int64_t count) {
  if (count > kMaxReplyItems) return malformed("an array is too long");
  if (open_.size() == kMaxReplyDepth) return malformed("arrays are nested too deeply");
  Reply& array = place();
  array.kind = Reply::Kind::array;
  // Its items must not move while they are open.
  array.items.reserve(static_cast<size_t>(count));
  open_.push_back({&array, count});
  whole_ = close_full_arrays();
  return {};
}

// Where the next value goes.
Reply& ReplyParser::place() {
  if (open_.empty()) return root_;
  --open_.back().left;
  return open_.back().array->items.emplace_back();
}

// True when nothing is open any more.
bool ReplyParser::close_full_arrays() {
  while (!open_.empty() && open_.back().left == 0) open_.pop_back();
  return open_.empty();
}

}  // namespace deeppool::redis
