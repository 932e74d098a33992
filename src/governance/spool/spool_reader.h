// Reads a segment's records in order, whatever state the file is in. Used by the applier's thread
// and by tests. Invariant: a record is given only if its checksum holds; damage in between is
// stepped over and counted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/error.h"
#include "governance/spool/record.h"
#include "governance/spool/segment.h"

namespace deeppool::governance {

class SpoolReader {
 public:
  // not_found if there is no such file; invalid_request if its header is no segment's (a crash
  // before the header was whole leaves such a file: it has no records).
  static Result<SpoolReader> open(const std::filesystem::path& path);
  SpoolReader(SpoolReader&& other) noexcept;
  SpoolReader& operator=(SpoolReader&&) = delete;
  ~SpoolReader();

  const SegmentHeader& header() const { return header_; }

  // The next record that ends at or before `readable` (a byte offset; UINT64_MAX: the end of the
  // file), or nothing: wait for more, or, in a sealed segment, it is over. Texts are views until
  // the next call.
  Result<std::optional<Record>> next(uint64_t readable = UINT64_MAX);

  // The byte behind the last record given.
  uint64_t offset() const { return offset_; }
  // Bytes stepped over so far because no sound record was in them.
  uint64_t damaged_bytes() const { return damaged_bytes_; }
  uint64_t unknown_frames() const { return unknown_frames_; }

 private:
  SpoolReader(int fd, SegmentHeader header);
  // Reads on from offset_; false at the end of what is readable.
  Result<bool> refill(uint64_t readable);

  int fd_;
  SegmentHeader header_;
  std::vector<char> buffer_;  // as large as it ever had to be
  size_t filled_ = 0;         // of it, what was read
  FrameScanner scanner_;
  uint64_t offset_ = kSegmentHeaderBytes;     // in the file, of what is consumed
  uint64_t buffer_at_ = kSegmentHeaderBytes;  // in the file, of the buffer's first byte
  uint64_t damaged_bytes_ = 0;
  uint64_t unknown_frames_ = 0;
};

}  // namespace deeppool::governance
