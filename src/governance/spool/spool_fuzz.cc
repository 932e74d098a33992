// Any bytes as a segment: the reader must not crash, must stay in bounds, and must give back the
// same records when the file is cut at any of its record ends.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "governance/spool/record.h"
#include "governance/spool/segment.h"

namespace deeppool::governance {
namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

std::string encoded(const Record& record) {
  FrameBuffer buffer;
  const auto frame = std::visit([&](const auto& r) { return encode(r, buffer); }, record);
  stamp(frame, 0);
  return {frame.data(), frame.size()};
}

// What was read can be written, and is then read as the same.
void check_round_trip(const Record& record) {
  const std::string once = encoded(record);
  check(once.size() <= kMaxFrameBytes);
  const auto again = FrameScanner(once, 0).next();
  check(again.has_value() && encoded(*again) == once);
}

void scan(std::string_view bytes, uint32_t salt) {
  FrameScanner whole(bytes, salt);
  size_t last = 0;
  while (auto record = whole.next()) {
    check(whole.offset() > last && whole.offset() <= bytes.size());
    FrameScanner cut(bytes.substr(0, whole.offset()).substr(last), salt);
    check(cut.next().has_value());
    last = whole.offset();
    check_round_trip(*record);
  }
  check(whole.damaged_bytes() <= bytes.size());
}

}  // namespace
}  // namespace deeppool::governance

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace deeppool::governance;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto header = decode_segment_header(bytes)) {
    scan(bytes.substr(kSegmentHeaderBytes), frame_salt(*header));
  } else {
    scan(bytes, 0);
  }
  return 0;
}
