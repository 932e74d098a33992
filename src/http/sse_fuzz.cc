// Any bytes as an event stream, at any split (chosen by the first byte): the same events.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "http/sse.h"

namespace {

using namespace deeppool::http;

constexpr size_t kMaxEvent = 512;

struct Outcome {
  std::vector<std::string> events;
  bool failed = false;
  bool operator==(const Outcome&) const = default;
};

void keep(Outcome& out, const SseEvent& event) {
  out.events.push_back(std::string(event.type) + '\0' + std::string(event.data));
}

Outcome parse(std::string_view in, size_t step) {
  SseParser parser(kMaxEvent);
  Outcome out;
  SseEvent event;
  for (size_t at = 0; at < in.size(); at += step) {
    const std::string_view piece = in.substr(at, step);
    const std::vector<char> own(piece.begin(), piece.end());
    parser.feed({own.data(), own.size()});
    while (true) {
      const auto got = parser.next(event);
      if (!got) return out.failed = true, out;
      if (!*got) break;
      keep(out, event);
    }
  }
  if (parser.last(event)) keep(out, event);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const size_t step = 1 + data[0] % 32;
  const std::string_view in(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = parse(in, in.size() + 1);
  const Outcome split = parse(in, step);
  const Outcome bytes = parse(in, 1);
  // How much of an endless line is seen before it is refused depends on the split; events do not.
  const bool too_large = whole.failed || split.failed || bytes.failed;
  if (!too_large && (!(split == whole) || !(bytes == whole))) std::abort();
  for (const std::string& event : whole.events) {
    if (event.find('\r') != std::string::npos) std::abort();
  }
  return 0;
}
