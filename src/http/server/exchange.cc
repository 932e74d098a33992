#include "http/server/exchange.h"

#include <algorithm>
#include <charconv>

#include "http/limits.h"

namespace deeppool::http {
namespace {

iovec view_of(std::string_view s) {
  return {const_cast<char*>(s.data()), s.size()};
}

constexpr size_t kMaxSendParts = 16;  // a spliced body has at most half a dozen pieces

}  // namespace

std::optional<std::string> query_parameter(std::string_view target, std::string_view name) {
  const size_t mark = target.find('?');
  if (mark == std::string_view::npos) return std::nullopt;
  for (const std::string_view pair : base::split(target.substr(mark + 1), '&')) {
    const size_t eq = pair.find('=');
    if (base::percent_decode(pair.substr(0, eq), base::Plus::space) != name) continue;
    return base::percent_decode(eq == std::string_view::npos ? "" : pair.substr(eq + 1),
                                base::Plus::space);
  }
  return std::nullopt;
}

std::optional<std::string> Exchange::query(std::string_view name) const {
  return query_parameter(head.target, name);
}

bool is_field_text(std::string_view value) {
  return std::ranges::none_of(
      value, [](char c) { return (static_cast<uint8_t>(c) < ' ' && c != '\t') || c == 0x7f; });
}

void Exchange::build_head(int status, std::string_view content_type,
                          std::optional<uint64_t> length) {
  status = final_status(status);
  status_ = status;
  // RFC 9110, 8.6: these have no body and say no length. An HTTP/1.0 client knows no chunks: the
  // end of the connection is the end of the body.
  const bool bodiless = status == 204 || status == 304;
  const bool until_close = !length && head.minor_version == 0;
  close_after_ = close_after_ || until_close;
  out_.reserve(256 + headers_.size());
  out_.put("HTTP/1.1 ", status, ' ', reason_phrase(status), "\r\nDate: ", date_);
  if (!content_type.empty()) out_.put("\r\nContent-Type: ", content_type);
  if (length && !bodiless) {
    out_.put("\r\nContent-Length: ", *length);
  } else if (!bodiless && !until_close) {
    out_.put("\r\nTransfer-Encoding: chunked");
  }
  out_.put("\r\n", headers_.view());
  if (close_after_ || !head.keep_alive) {
    out_.put("Connection: close\r\n");
  } else if (head.minor_version == 0) {
    out_.put("Connection: keep-alive\r\n");
  }
  out_.put("\r\n");
}

base::Deadline Exchange::before_write(std::span<const iovec> parts) {
  for (const iovec& part : parts) bytes_sent_ += part.iov_len;
  return {socket_.loop().now() + kWriteTimeout};
}

Result<void> Exchange::after_write(Result<void> done) {
  if (first_byte_at_ == base::Instant{}) first_byte_at_ = loop_now();
  if (!done) {
    write_failed_ = true;
    close_after_ = true;
    scope.cancel(async::CancelReason::caller_gone);
  }
  // The head has left: an open stream does not need its memory any more.
  if (!out_.empty()) {
    out_.release();
    headers_.release();
  }
  return done;
}

Task<Result<void>> Exchange::send(int status, std::string_view content_type,
                                  std::span<const std::string_view> parts) {
  uint64_t length = 0;
  for (const std::string_view part : parts) length += part.size();
  build_head(status, content_type, length);
  finished_ = true;
  std::array<iovec, kMaxSendParts + 1> vectors;
  size_t count = 0;
  vectors[count++] = view_of(out_);
  if (head.method != Method::head) {
    for (const std::string_view part : parts) vectors[count++] = view_of(part);
  }
  const std::span<iovec> gathered(vectors.data(), count);
  const base::Deadline deadline = before_write(gathered);
  Result<void> done = co_await socket_.write(gathered, deadline);
  co_return after_write(std::move(done));
}

Task<Result<void>> Exchange::send(int status, std::string_view content_type,
                                  std::string_view whole) {
  const std::string_view parts[] = {whole};
  Result<void> done = co_await send(status, content_type, parts);
  co_return done;
}

void Exchange::start_stream(int status, std::string_view content_type) {
  streaming_ = true;
  build_head(status, content_type, std::nullopt);
}

// One chunk and perhaps the end of the body. HEAD gets the head alone, HTTP/1.0 the plain bytes.
Task<Result<void>> Exchange::write_chunk(std::string_view bytes, std::string_view end_mark) {
  if (bytes.empty() && end_mark.empty() && out_.empty()) co_return Result<void>();
  const bool chunked = head.minor_version == 1;
  if (head.method == Method::head) bytes = {};
  if (head.method == Method::head || !chunked) end_mark = {};
  char size_line[20];
  size_t line = 0;
  if (!bytes.empty() && chunked) {
    const auto end = std::to_chars(size_line, size_line + 16, bytes.size(), 16).ptr;
    end[0] = '\r';
    end[1] = '\n';
    line = static_cast<size_t>(end + 2 - size_line);
  }
  std::array<iovec, 5> vectors = {view_of(out_), view_of({size_line, line}), view_of(bytes),
                                  view_of(line > 0 ? "\r\n" : ""), view_of(end_mark)};
  const base::Deadline deadline = before_write(vectors);
  Result<void> done = co_await socket_.write(vectors, deadline);
  co_return after_write(std::move(done));
}

Task<Result<void>> Exchange::flush(std::string_view bytes) {
  return write_chunk(bytes, "");
}

Task<Result<void>> Exchange::finish(std::string_view bytes) {
  finished_ = true;
  return write_chunk(bytes, "0\r\n\r\n");
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 302:
      return "Found";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Status";
  }
}

}  // namespace deeppool::http
