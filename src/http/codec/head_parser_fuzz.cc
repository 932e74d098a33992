// Any bytes as a head, both directions. Accepted heads must mean what a second, naive reading of
// the same bytes finds: that is what request smuggling lives on.
#include <cstdlib>
#include <string>

#include "http/codec/head_parser.h"

namespace {

using namespace deeppool::http;

void must(bool ok) {
  if (!ok) std::abort();
}

// Lines that a lenient parser would take for `name`, whatever stands around it.
size_t lenient_count(std::string_view head, std::string_view name) {
  size_t count = 0;
  std::string line;
  for (const char c : head) {
    if (c == '\n' || c == '\r') {
      count += line.starts_with(name) ? 1 : 0;
      line.clear();
    } else if (c > ' ') {
      line += deeppool::base::lower(c);
    }
  }
  return count;
}

void check_fields(const Headers& headers, std::string_view head) {
  for (const Header& h : headers) {
    must(!h.name.empty());
    must(h.name.data() >= head.data() &&
         h.value.data() + h.value.size() <= head.data() + head.size());
    for (const char c : h.value) must(c != '\r' && c != '\n' && c != '\0');
  }
}

void check_request(std::string_view head) {
  RequestHead out;
  if (!parse_request_head(head, out)) return;
  check_fields(out.headers, head);
  must(!out.target.empty() && out.target.front() == '/');
  const size_t lengths = lenient_count(head, "content-length:");
  const size_t codings = lenient_count(head, "transfer-encoding:");
  must(lengths + codings <= 1);
  must((out.framing == Framing::length) == (lengths == 1));
  must((out.framing == Framing::chunked) == (codings == 1));
  must(lenient_count(head, "host:") <= 1);
}

void check_response(std::string_view head) {
  for (const Method method : {Method::get, Method::head}) {
    ResponseHead out;
    if (!parse_response_head(head, method, out)) continue;
    check_fields(out.headers, head);
    must(out.status >= 100 && out.status <= 599);
    must(method != Method::head || out.framing == Framing::none);
    must(!out.keep_alive || out.framing != Framing::until_close);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const size_t end = find_head_end(text, 0);
  must(end <= size);
  // Where the end is found must not depend on how the bytes came.
  for (size_t cut = 0; cut < size && cut < 300; ++cut) {
    const std::string_view first = std::string_view(text).substr(0, cut);
    const size_t early = find_head_end(first, 0);
    must((early == 0 ? find_head_end(text, cut) : early) == end);
  }
  if (end == 0) return 0;
  const std::string head = text.substr(0, end);  // own bytes: reading past the end shows
  check_request(head);
  check_response(head);
  return 0;
}
