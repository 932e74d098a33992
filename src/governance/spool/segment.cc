#include "governance/spool/segment.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "base/text.h"
#include "governance/spool/crc32c.h"

namespace deeppool::governance {
namespace {

constexpr std::string_view kMagic = "DPSPOOL\n";
constexpr uint32_t kFormat = 1;
constexpr std::string_view kExtension = ".spool";

struct Layout {
  char magic[8];
  uint32_t format;
  uint32_t header_bytes;
  uint8_t instance[16];
  int64_t number;
  int64_t created_ms;
  int32_t loop;
  uint32_t reserved[2];
  uint32_t crc;  // of everything before it
};
static_assert(sizeof(Layout) == kSegmentHeaderBytes);

uint32_t checksum(const Layout& layout) {
  return crc32c({reinterpret_cast<const char*>(&layout), offsetof(Layout, crc)});
}

Layout lay_out(const SegmentHeader& header) {
  Layout layout{};
  std::memcpy(layout.magic, kMagic.data(), kMagic.size());
  layout.format = kFormat;
  layout.header_bytes = kSegmentHeaderBytes;
  std::memcpy(layout.instance, header.instance.bytes.data(), sizeof layout.instance);
  layout.number = header.number;
  layout.created_ms = header.created_ms;
  layout.loop = header.loop;
  layout.crc = checksum(layout);
  return layout;
}

}  // namespace

uint32_t frame_salt(const SegmentHeader& header) {
  return lay_out(header).crc;
}

SegmentHeaderBytes encode(const SegmentHeader& header) {
  const Layout layout = lay_out(header);
  SegmentHeaderBytes bytes{};
  std::memcpy(bytes.data(), &layout, sizeof layout);
  return bytes;
}

std::optional<SegmentHeader> decode_segment_header(std::string_view bytes) {
  if (bytes.size() < kSegmentHeaderBytes) return std::nullopt;
  Layout layout;
  std::memcpy(&layout, bytes.data(), sizeof layout);
  if (std::string_view(layout.magic, sizeof layout.magic) != kMagic) return std::nullopt;
  if (layout.format != kFormat || layout.crc != checksum(layout)) return std::nullopt;
  SegmentHeader header;
  std::memcpy(header.instance.bytes.data(), layout.instance, sizeof layout.instance);
  header.number = layout.number;
  header.created_ms = layout.created_ms;
  header.loop = layout.loop;
  return header;
}

std::filesystem::path segment_path(const std::filesystem::path& directory, int loop,
                                   int64_t number) {
  return directory / fmt::format("{}-{}{}", loop, number, kExtension);
}

std::optional<int64_t> segment_number(const std::filesystem::path& path) {
  if (path.extension() != kExtension) return std::nullopt;
  const std::string stem = path.stem().string();
  const size_t dash = stem.find('-');
  if (dash == std::string::npos) return std::nullopt;
  return base::parse_int<int64_t>(std::string_view(stem).substr(dash + 1));
}

LiveSegment::~LiveSegment() {
  ::close(fd);
}

}  // namespace deeppool::governance
