#include "governance/spool/spool_writer.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/crash_point.h"
#include "base/log.h"
#include "governance/spool/spool.h"

namespace deeppool::governance {

SpoolWriter::~SpoolWriter() {
  seal();
}

Result<void> SpoolWriter::append_hold(const HoldRecord& record) {
  if (!spool_.accepting() || !write_frame(encode(record, buffer_))) {
    return Error(ErrorCode::unavailable,
                 "The gateway cannot record new requests right now. Please try again shortly.",
                 "spool does not accept");
  }
  base::crash_point("after_hold");
  return {};
}

void SpoolWriter::append_progress(const ProgressRecord& record) {
  (void)write_frame(encode(record, buffer_));
}

void SpoolWriter::append_final(const FinalRecord& record) {
  const std::span<char> frame = encode(record, buffer_);
  if (!write_frame(frame) && !spool_.park(frame)) {
    // The last resort: enough to enter the bill by hand.
    log::error("usage record lost: neither disk nor memory takes it",
               {{"request_id", record.request_id.to_string()},
                {"key", record.key.value},
                {"prompt_tokens", record.usage.prompt_tokens},
                {"completion_tokens", record.usage.completion_tokens}});
  }
  base::crash_point("after_final");
}

bool SpoolWriter::write_frame(std::span<char> frame) {
  if (write_once(frame)) return true;
  // Whatever the reason, giving the reserve back is the one remedy at hand (another loop may just
  // have).
  spool_.stop_accepting("write failed");
  spool_.release_reserve();
  return write_once(frame);
}

bool SpoolWriter::write_once(std::span<char> frame) {
  if (!ready_segment()) return false;
  stamp(frame, segment_->salt);
  const uint64_t start = segment_->written.load(std::memory_order_relaxed);
  ssize_t n = 0;
  do {
    n = ::write(segment_->fd, frame.data(), frame.size());
  } while (n < 0 && errno == EINTR);
  if (n == static_cast<ssize_t>(frame.size())) {
    segment_->written.store(start + frame.size(), std::memory_order_release);
    return true;
  }
  const int reason = n < 0 ? errno : ENOSPC;
  if (spool_.accepting()) {  // the first of a storm
    log::error(
        "spool write failed",
        {{"segment", segment_->path.native()}, {"written", n}, {"reason", std::strerror(reason)}});
  }
  // Cut the torn frame off; where even that fails, leave it as the segment's end.
  const bool repaired = n <= 0 || ::ftruncate(segment_->fd, static_cast<off_t>(start)) == 0;
  // A full disk is no fault of the file; after anything else go on in another one.
  if (!repaired || (reason != ENOSPC && reason != EDQUOT)) seal();
  return false;
}

bool SpoolWriter::ready_segment() {
  if (segment_ != nullptr) {
    const bool full =
        segment_->written.load(std::memory_order_relaxed) >= spool_.settings_.segment_bytes;
    if (!full && !segment_->distrusted.load(std::memory_order_relaxed)) return true;
    seal();
  }
  auto opened = spool_.open_segment(loop_);
  if (!opened) {
    if (spool_.accepting()) {
      log::error("spool segment cannot be opened", {{"reason", opened.error().message}});
    }
    return false;
  }
  segment_ = *std::move(opened);
  return true;
}

void SpoolWriter::seal() {
  if (segment_ == nullptr) return;
  segment_->sealed.store(true, std::memory_order_release);
  segment_.reset();
}

}  // namespace deeppool::governance
