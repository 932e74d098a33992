#include "http/codec/head_parser.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "http/limits.h"

namespace deeppool::http {
namespace {

using base::iequals;

// Characters of a token (RFC 9110, section 5.6.2).
constexpr std::array<bool, 256> kToken = [] {
  std::array<bool, 256> table{};
  for (char c = '0'; c <= '9'; ++c) table[static_cast<uint8_t>(c)] = true;
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<uint8_t>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<uint8_t>(c)] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<uint8_t>(c)] = true;
  return table;
}();

uint64_t load_eight(const char* p) {
  uint64_t eight = 0;
  std::memcpy(&eight, p, sizeof eight);
  return eight;
}

constexpr uint64_t kOnes = 0x0101010101010101u;
constexpr uint64_t kHigh = 0x8080808080808080u;

// How many of eight bytes, from the first, are letters or dashes.
size_t leading_letters(const char* p) {
  static_assert(std::endian::native == std::endian::little);
  const uint64_t eight = load_eight(p);
  const uint64_t ascii = eight & ~kHigh;
  const uint64_t lower = ascii | kOnes * 0x20;
  // The high bit of a byte tells what it is; no sum of two bytes reaches the next one.
  const uint64_t letter =
      (lower + kOnes * (0x80 - 'a')) & ~(lower + kOnes * (0x7f - 'z')) & ~eight & kHigh;
  const uint64_t dash = ~((ascii ^ kOnes * '-') + kOnes * 0x7f) & ~eight & kHigh;
  return static_cast<size_t>(std::countr_zero(~(letter | dash) & kHigh)) / 8;
}

// Length of the token at the start of `s`. Names are letters and dashes, mostly.
size_t token_length(std::string_view s) {
  size_t n = 0;
  while (n + 8 <= s.size()) {
    const size_t letters = leading_letters(s.data() + n);
    n += letters;
    if (letters == 8) continue;
    if (!kToken[static_cast<uint8_t>(s[n])]) return n;
    ++n;
  }
  while (n < s.size() && kToken[static_cast<uint8_t>(s[n])]) ++n;
  return n;
}

// Whether a field's name is `lower`, of letters and dashes. A name has token characters only: among
// them the sixth bit alone makes a capital of a letter, and nothing of a dash.
template <size_t N>
bool is_named(std::string_view name, const char (&lower)[N]) {
  constexpr size_t kSize = N - 1;
  if (name.size() != kSize) return false;
  if constexpr (kSize < 8) {
    return iequals(name, std::string_view(lower, kSize));
  } else {
    for (size_t at = 0; at < kSize; at += 8) {
      const size_t from = std::min(at, kSize - 8);
      if ((load_eight(name.data() + from) | kOnes * 0x20) != load_eight(lower + from)) return false;
    }
    return true;
  }
}

bool all_token(std::string_view s) {
  return !s.empty() && token_length(s) == s.size();
}

// Field values: visible characters, space, tab and bytes above 0x7f.
bool valid_byte(char c) {
  const auto byte = static_cast<uint8_t>(c);
  return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
}

// Whether none of the eight bytes is a control character; a tab is one here.
bool no_controls(const char* p) {
  const uint64_t eight = load_eight(p);
  const uint64_t del = eight ^ kOnes * 0x7f;
  return ((((eight - kOnes * 0x20) & ~eight) | ((del - kOnes) & ~del)) & kHigh) == 0;
}

// Eight bytes at a time; the last eight may overlap those before. Byte by byte only what has a tab,
// or is short.
bool valid_value(std::string_view s) {
  bool plain = s.size() >= 8;
  for (size_t at = 0; plain && at + 8 < s.size(); at += 8) plain = no_controls(s.data() + at);
  if (plain && no_controls(s.data() + s.size() - 8)) return true;
  return std::all_of(s.begin(), s.end(), valid_byte);
}

// What the framing rules need from the fields of either direction.
struct FramingFields {
  std::optional<uint64_t> length;
  bool chunked = false;
  bool close = false;
  bool keep_alive = false;
  int hosts = 0;
};

// Problems are static texts; the caller wraps them into its own kind of error.
using Problem = const char*;
constexpr Problem kTooManyFields = "too many header fields (at most 128)";

Problem read_length(std::string_view value, FramingFields& out) {
  // "5, 5" is legal as a repeated field, but only an attacker or a broken proxy sends it.
  uint64_t v = 0;
  if (value.empty() || value.size() > 18) return "Content-Length is not a number";
  for (const char c : value) {
    if (c < '0' || c > '9') return "Content-Length is not a number";
    v = v * 10 + static_cast<uint64_t>(c - '0');
  }
  if (out.length) return "Content-Length is given twice";
  out.length = v;
  return nullptr;
}

bool has_member(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    if (iequals(base::trim(list.substr(0, comma)), name)) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

Problem read_field(const Header& h, FramingFields& out) {
  switch (h.name.size()) {
    case 4:
      if (is_named(h.name, "host")) ++out.hosts;
      break;
    case 10:
      if (is_named(h.name, "connection")) {
        out.close = out.close || has_member(h.value, "close");
        out.keep_alive = out.keep_alive || has_member(h.value, "keep-alive");
      }
      break;
    case 14:
      if (is_named(h.name, "content-length")) return read_length(h.value, out);
      break;
    case 17:
      if (is_named(h.name, "transfer-encoding")) {
        if (out.chunked) return "Transfer-Encoding is given twice";
        if (!iequals(h.value, "chunked")) return "only 'chunked' is supported as Transfer-Encoding";
        out.chunked = true;
      }
      break;
    default:
      break;
  }
  return nullptr;
}

// Takes one line off `rest`; the line ends with CRLF, which is dropped.
Problem take_line(std::string_view& rest, std::string_view& line) {
  const size_t lf = rest.find('\n');
  if (lf == std::string_view::npos || lf == 0 || rest[lf - 1] != '\r') {
    return "a line does not end with CRLF";
  }
  line = rest.substr(0, lf - 1);
  rest.remove_prefix(lf + 1);
  return nullptr;
}

Problem parse_fields(std::string_view rest, Headers& headers, FramingFields& framing) {
  headers.clear();
  while (true) {
    std::string_view line;
    if (const Problem p = take_line(rest, line)) return p;
    if (line.empty()) break;
    if (headers.size() == kMaxHeaders) return kTooManyFields;
    const size_t colon = token_length(line);
    if (colon == line.size()) return "a header line has no colon";
    if (colon == 0 || line[colon] != ':') {
      return "a header name has characters that are not allowed";
    }
    const Header h{line.substr(0, colon), base::trim(line.substr(colon + 1))};
    if (!valid_value(h.value)) return "a header value has control characters";
    if (const Problem p = read_field(h, framing)) return p;
    headers.add(h);
  }
  if (!rest.empty()) return "bytes follow the empty line of the head";
  if (framing.chunked && framing.length) {
    return "Content-Length and Transfer-Encoding together are ambiguous";
  }
  return nullptr;
}

Method method_of(std::string_view text) {
  switch (text.size()) {
    case 3:
      if (text == "GET") return Method::get;
      if (text == "PUT") return Method::put;
      break;
    case 4:
      if (text == "POST") return Method::post;
      if (text == "HEAD") return Method::head;
      break;
    case 5:
      if (text == "PATCH") return Method::patch;
      break;
    case 6:
      if (text == "DELETE") return Method::del;
      break;
    case 7:
      if (text == "OPTIONS") return Method::options;
      break;
    default:
      break;
  }
  return Method::other;
}

// Sets `minor` to 0 or 1.
bool parse_version(std::string_view text, int& minor) {
  if (text == "HTTP/1.1") return minor = 1, true;
  if (text == "HTTP/1.0") return minor = 0, true;
  return false;
}

bool valid_target(std::string_view target) {
  if (target.empty() || target.front() != '/' || target.size() > kMaxTargetBytes) return false;
  for (const char c : target) {
    if (static_cast<uint8_t>(c) <= 0x20 || static_cast<uint8_t>(c) >= 0x7f || c == '#')
      return false;
  }
  return true;
}

Problem parse_request_line(std::string_view line, RequestHead& out, int& minor) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return "the request line is malformed";
  out.method_text = line.substr(0, first);
  out.target = line.substr(first + 1, last - first - 1);
  if (!all_token(out.method_text)) return "the method is malformed";
  if (!parse_version(line.substr(last + 1), minor))
    return "only HTTP/1.1 and HTTP/1.0 are spoken here";
  if (!valid_target(out.target)) return "the request target is malformed (it must be a path)";
  out.method = method_of(out.method_text);
  return nullptr;
}

Problem parse_request(std::string_view head, RequestHead& out) {
  std::string_view line;
  int minor = 1;
  if (const Problem p = take_line(head, line)) return p;
  if (const Problem p = parse_request_line(line, out, minor)) return p;
  FramingFields framing;
  if (const Problem p = parse_fields(head, out.headers, framing)) return p;
  if (framing.hosts > 1 || (framing.hosts == 0 && minor == 1)) {
    return "exactly one Host header is required";
  }
  if (minor == 0 && framing.chunked) return "Transfer-Encoding is not part of HTTP/1.0";
  out.framing = framing.chunked  ? Framing::chunked
                : framing.length ? Framing::length
                                 : Framing::none;
  out.minor_version = minor;
  out.content_length = framing.length.value_or(0);
  out.keep_alive = minor == 1 ? !framing.close : framing.keep_alive && !framing.close;
  const auto expect = out.headers.find("expect");
  out.expects_continue = expect && iequals(*expect, "100-continue");
  if (expect && !out.expects_continue) return "only 'Expect: 100-continue' is supported";
  return nullptr;
}

Problem parse_status_line(std::string_view line, ResponseHead& out, int& minor) {
  if (line.size() < 12 || line[8] != ' ') return "the status line is malformed";
  if (!parse_version(line.substr(0, 8), minor)) return "the HTTP version is not 1.0 or 1.1";
  const auto status = base::parse_int<int>(line.substr(9, 3));
  if (!status || *status < 100 || *status > 599)
    return "the status is not a number from 100 to 599";
  if (line.size() > 12 && (line[12] != ' ' || !valid_value(line.substr(13)))) {
    return "the status line is malformed";
  }
  out.status = *status;
  return nullptr;
}

Problem parse_response(std::string_view head, Method request_method, ResponseHead& out) {
  std::string_view line;
  int minor = 1;
  if (const Problem p = take_line(head, line)) return p;
  if (const Problem p = parse_status_line(line, out, minor)) return p;
  FramingFields framing;
  if (const Problem p = parse_fields(head, out.headers, framing)) return p;
  const bool no_body =
      request_method == Method::head || out.status < 200 || out.status == 204 || out.status == 304;
  out.framing = no_body           ? Framing::none
                : framing.chunked ? Framing::chunked
                : framing.length  ? Framing::length
                                  : Framing::until_close;
  out.content_length = framing.length.value_or(0);
  out.keep_alive = (minor == 1 ? !framing.close : framing.keep_alive && !framing.close) &&
                   out.framing != Framing::until_close;
  return nullptr;
}

}  // namespace

std::string_view to_string(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::head:
      return "HEAD";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::patch:
      return "PATCH";
    case Method::del:
      return "DELETE";
    case Method::options:
      return "OPTIONS";
    case Method::other:
      break;
  }
  return "OTHER";
}

size_t find_head_end(std::string_view bytes, size_t from) {
  // Two bytes back: the end may lie across the boundary of two reads. A bare-LF ending counts as an
  // end, so that the parser refuses it at once instead of waiting for more.
  size_t i = from > 2 ? from - 2 : 0;
  while (true) {
    i = bytes.find('\n', i);
    if (i == std::string_view::npos) return 0;
    if (i + 1 < bytes.size() && bytes[i + 1] == '\n') return i + 2;
    if (i + 2 < bytes.size() && bytes[i + 1] == '\r' && bytes[i + 2] == '\n') return i + 3;
    ++i;
  }
}

Result<void> parse_request_head(std::string_view head, RequestHead& out) {
  const Problem p = parse_request(head, out);
  if (p == nullptr) return {};
  if (p != kTooManyFields) {
    return Error(ErrorCode::invalid_request, std::string("Malformed HTTP request: ") + p + ".");
  }
  return Error(ErrorCode::payload_too_large, std::string("The request has ") + p + ".");
}

Result<void> parse_response_head(std::string_view head, Method request_method, ResponseHead& out) {
  if (const Problem p = parse_response(head, request_method, out)) {
    return Error(ErrorCode::upstream_failed, "The upstream answered with malformed HTTP.", p);
  }
  return {};
}

}  // namespace deeppool::http
