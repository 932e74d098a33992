// Any bytes as a chunked body, at any split: the first two bytes choose the split. Same data, same
// end, same refusal as in one piece.
#include <cstdlib>
#include <string>
#include <vector>

#include "http/codec/chunked.h"

namespace {

using deeppool::http::ChunkedDecoder;

struct Outcome {
  std::string data;
  bool failed = false;
  bool ended = false;
  size_t used = 0;
  bool operator==(const Outcome&) const = default;
};

Outcome decode(std::string_view in, size_t step) {
  ChunkedDecoder decoder;
  Outcome out;
  for (size_t at = 0; at < in.size();) {
    // Own bytes: a view kept too long shows under ASan.
    const std::vector<char> piece(in.begin() + static_cast<long>(at),
                                  in.begin() + static_cast<long>(std::min(in.size(), at + step)));
    std::string_view rest(piece.data(), piece.size());
    while (true) {
      const auto got = decoder.next(rest);
      if (!got) return out.failed = true, out;
      if (got->state == ChunkedDecoder::State::need_more) break;
      if (got->state == ChunkedDecoder::State::end) {
        out.ended = true;
        out.used = at + piece.size() - rest.size();
        return out;
      }
      if (got->data.empty()) std::abort();
      out.data += got->data;
    }
    if (!rest.empty()) std::abort();
    at += piece.size();
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const size_t step = 1 + (data[0] | (data[1] << 8)) % 64;
  const std::string_view in(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Outcome whole = decode(in, in.size() + 1);
  if (!(decode(in, step) == whole) || !(decode(in, 1) == whole)) std::abort();
  if (whole.data.size() > in.size()) std::abort();
  return 0;
}
