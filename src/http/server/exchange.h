// Exchange: one request and its answer. Owned by the connection for as long as the handler runs;
// everything on the connection's loop. A handler answers exactly once: send(), or start_stream()
// and its parts.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/cancel.h"
#include "async/socket.h"
#include "async/task.h"
#include "base/ids.h"
#include "base/text_buffer.h"
#include "crypto/hash.h"
#include "http/codec/message.h"
#include "http/middleware/trace_context.h"
#include "json/padded.h"

namespace deeppool::http {

using Body = json::PaddedBytes;

// Who a session belongs to; set by the access check of routes for users.
struct SessionUser {
  base::UserId id;
  int64_t session = 0;
  bool admin = false;
  std::string name;
};

// A parameter of the query of `target`, decoded; nothing if absent or malformed.
std::optional<std::string> query_parameter(std::string_view target, std::string_view name);

// RFC 9110, 5.5: no control characters but the tab.
bool is_field_text(std::string_view value);
constexpr bool is_field_text(std::integral auto number) {
  static_assert(sizeof(number) > 1, "a character is text");
  return true;
}

class Exchange {
 public:
  Exchange(async::Socket& socket, std::string_view peer_ip, crypto::HashMemo& memo)
      : peer_ip(peer_ip), key_memo(memo), socket_(socket) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // ---- the request
  RequestHead head;
  std::vector<std::string> params;  // of the route's pattern
  Body body;
  base::RequestId id;
  TraceContext trace;
  std::string_view peer_ip;    // of the connection, or of X-Forwarded-For from a trusted proxy
  crypto::HashMemo& key_memo;  // of the connection: its caller's key comes with every request
  SessionUser user;
  async::CancelScope scope;  // fires when the caller goes away or the server shuts down
  base::Instant started{};

  base::Instant loop_now() const { return socket_.loop().now(); }
  std::string_view path() const { return head.target.substr(0, head.target.find('?')); }
  std::optional<std::string> query(std::string_view name) const;

  // ---- the answer
  // A field for the coming head; the name is ours, the value may be given in pieces
  // (TextBuffer::put). A value that is none, such as one with a line break, leaves the field out:
  // half of it could be taken for a field of its own.
  template <class Name, class... Value>
  void add_header(const Name& name, const Value&... value) {
    if (!(is_field_text(value) && ...)) return;
    if (headers_.empty()) headers_.reserve(kUsualHeaders);
    headers_.put(name, ": ", value..., "\r\n");
  }
  // The whole answer in one write. The parts are one body and need to live until it returns.
  Task<Result<void>> send(int status, std::string_view content_type,
                          std::span<const std::string_view> parts);
  Task<Result<void>> send(int status, std::string_view content_type, std::string_view whole);
  // The head of a stream; leaves with the first flush.
  void start_stream(int status, std::string_view content_type);
  // Sends `bytes` as one chunk in one write and waits until the kernel took it: that wait is the
  // back-pressure.
  Task<Result<void>> flush(std::string_view bytes);
  // The last chunk (may be empty) and the end of the body, in one write.
  Task<Result<void>> finish(std::string_view bytes);

  // What an answer with `status` is sent as: HTTP's own refusals go before every table of errors.
  int final_status(int status) const { return protocol_status_ != 0 ? protocol_status_ : status; }
  bool answered() const { return status_ != 0; }
  bool stream_open() const { return streaming_ && !finished_; }
  int status() const { return status_; }
  uint64_t bytes_sent() const { return bytes_sent_; }
  bool write_failed() const { return write_failed_; }
  base::Instant first_byte_at() const { return first_byte_at_; }

  // What a handler wants in the access log: appended as JSON members, `,"name":value`.
  base::TextBuffer log_fields;

 private:
  friend class Connection;
  void build_head(int status, std::string_view content_type, std::optional<uint64_t> length);
  Task<Result<void>> write_chunk(std::string_view bytes, std::string_view end_mark);
  base::Deadline before_write(std::span<const iovec> parts);
  Result<void> after_write(Result<void> done);

  // Room for what a completion's answer says about itself.
  static constexpr size_t kUsualHeaders = 800;

  async::Socket& socket_;
  base::TextBuffer head_bytes_;  // what head's views point into
  std::string_view date_;        // of the server, for the head
  base::TextBuffer headers_;     // added fields, ready to send
  base::TextBuffer out_;         // the head on its way
  int protocol_status_ = 0;      // 405, 408, 431: HTTP's own refusals, whatever table words them
  bool close_after_ = false;
  bool streaming_ = false;
  bool finished_ = false;
  bool write_failed_ = false;
  int status_ = 0;
  uint64_t bytes_sent_ = 0;
  base::Instant first_byte_at_{};
};

// Reason phrases; clients ignore them, people read them.
std::string_view reason_phrase(int status);

}  // namespace deeppool::http
