// One spool segment on disk: `<loop>-<number>.spool`, a 64-byte header, then frames (record.h).
// A number is used once in the life of an instance; a later run of the program has larger ones.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"

namespace deeppool::governance {

// The instance whose spool it is; made once and kept in the spool's folder.
using InstanceId = base::RequestId;

struct SegmentHeader {
  InstanceId instance;
  int64_t number = 0;
  int loop = 0;
  int64_t created_ms = 0;
};

inline constexpr size_t kSegmentHeaderBytes = 64;
using SegmentHeaderBytes = std::array<char, kSegmentHeaderBytes>;

// What the checksums of this segment's frames start from; nobody outside can know it (instance is
// random).
uint32_t frame_salt(const SegmentHeader& header);

SegmentHeaderBytes encode(const SegmentHeader& header);
// Nothing if the bytes are not the header of a segment that this program can read.
std::optional<SegmentHeader> decode_segment_header(std::string_view bytes);

std::filesystem::path segment_path(const std::filesystem::path& directory, int loop,
                                   int64_t number);
// The number in a segment's file name; nothing if it is another file.
std::optional<int64_t> segment_number(const std::filesystem::path& path);

// A segment that is being written. Shared by its writer (appends), the sync thread (flushes) and
// the applier (reads up to `written`). The descriptor is closed with the last of them.
struct LiveSegment {
  LiveSegment(int descriptor, std::filesystem::path file, SegmentHeader head)
      : fd(descriptor), path(std::move(file)), header(head) {}
  LiveSegment(const LiveSegment&) = delete;
  ~LiveSegment();

  const int fd;
  const std::filesystem::path path;
  const SegmentHeader header;
  const uint32_t salt = frame_salt(header);
  std::atomic<uint64_t> written{0};     // whole frames end here; published after the write
  std::atomic<bool> sealed{false};      // the writer appends no more
  std::atomic<bool> distrusted{false};  // a flush failed: the writer must go on in another segment
  uint64_t synced = 0;                  // sync thread only
};

}  // namespace deeppool::governance
