#include "governance/spool/spool_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace deeppool::governance {

Result<SpoolReader> SpoolReader::open(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return Error(errno == ENOENT ? ErrorCode::not_found : ErrorCode::unavailable,
                 "A spool segment cannot be read.", path.native() + ": " + std::strerror(errno));
  }
  SegmentHeaderBytes bytes;
  const ssize_t n = ::pread(fd, bytes.data(), bytes.size(), 0);
  const auto header =
      decode_segment_header({bytes.data(), static_cast<size_t>(std::max<ssize_t>(n, 0))});
  if (!header) {
    ::close(fd);
    return Error(ErrorCode::invalid_request, "A spool segment has no valid header.", path.native());
  }
  return SpoolReader(fd, *header);
}

SpoolReader::SpoolReader(int fd, SegmentHeader header)
    : fd_(fd), header_(header), scanner_({}, frame_salt(header)) {}

SpoolReader::SpoolReader(SpoolReader&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      header_(other.header_),
      buffer_(std::move(other.buffer_)),
      filled_(other.filled_),
      scanner_(other.scanner_),
      offset_(other.offset_),
      buffer_at_(other.buffer_at_),
      damaged_bytes_(other.damaged_bytes_),
      unknown_frames_(other.unknown_frames_) {}

SpoolReader::~SpoolReader() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::optional<Record>> SpoolReader::next(uint64_t readable) {
  while (true) {
    const size_t damaged = scanner_.damaged_bytes();
    const size_t unknown = scanner_.unknown_frames();
    auto record = scanner_.next();
    damaged_bytes_ += scanner_.damaged_bytes() - damaged;
    unknown_frames_ += scanner_.unknown_frames() - unknown;
    offset_ = buffer_at_ + scanner_.offset();
    if (record) return record;
    DP_TRY(const bool more, refill(readable));
    if (!more) return std::optional<Record>();
  }
}

Result<bool> SpoolReader::refill(uint64_t readable) {
  const uint64_t seen_to = buffer_at_ + filled_;
  // A full buffer without a frame is damage: keep only what may be a frame's beginning.
  if (offset_ == buffer_at_ && filled_ == kReadBytes) {
    damaged_bytes_ += kReadBytes - kMaxFrameBytes;
    offset_ += kReadBytes - kMaxFrameBytes;
  }
  if (readable <= seen_to && offset_ == buffer_at_) return false;
  const uint64_t wanted = std::min<uint64_t>(readable - std::min(readable, offset_), kReadBytes);
  if (buffer_.size() < wanted) buffer_.resize(wanted);
  size_t have = 0;
  while (have < wanted) {
    const ssize_t n =
        ::pread(fd_, buffer_.data() + have, wanted - have, static_cast<off_t>(offset_ + have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      return Error(ErrorCode::unavailable, "A spool segment cannot be read.", std::strerror(errno));
    }
    if (n == 0) break;
    have += static_cast<size_t>(n);
  }
  filled_ = have;
  buffer_at_ = offset_;
  scanner_ = FrameScanner({buffer_.data(), filled_}, frame_salt(header_));
  return buffer_at_ + have > seen_to;
}

}  // namespace deeppool::governance
