#include "governance/spool/spool_writer.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/crash_point.h"
#include "base/log.h"
#include "governance/spool/spool.h"

namespace deeppool::governance {
namespace {

// The last resort: enough to enter the bill by hand.
void log_lost(std::span<char> frame) {
  stamp(frame, 0);
  FrameScanner scanner({frame.data(), frame.size()}, 0);
  const auto record = scanner.next();
  const auto* bill = record ? std::get_if<FinalRecord>(&*record) : nullptr;
  if (bill == nullptr) return;
  log::error("usage record lost: neither disk nor memory takes it",
             {{"request_id", bill->request_id.to_string()},
              {"key", bill->key.value},
              {"prompt_tokens", bill->usage.prompt_tokens},
              {"completion_tokens", bill->usage.completion_tokens}});
}

}  // namespace

SpoolWriter::~SpoolWriter() {
  flush();
  seal();
}

Result<void> SpoolWriter::append_hold(const HoldRecord& record) {
  if (spool_.accepting() && write(encode(record, buffer_), "after_hold")) return {};
  return Error(ErrorCode::unavailable,
               "The gateway cannot record new requests right now. Please try again shortly.",
               "spool does not accept");
}

void SpoolWriter::append_progress(const ProgressRecord& record) {
  (void)write(encode(record, buffer_), {});
}

void SpoolWriter::append_final(const FinalRecord& record) {
  stage(encode(record, buffer_), "after_final");
  if (when_ == WriteWhen::appended) flush();
}

void SpoolWriter::flush() {
  if (staged_.empty()) return;
  parked_ = parked_ && spool_.parking();
  if (parked_ || !write_staged()) park_staged();
}

bool SpoolWriter::write(std::span<const char> frame, std::string_view crash_point) {
  stage(frame, crash_point);
  if (when_ == WriteWhen::flushed || write_staged()) return true;
  drop_staged();
  return false;
}

void SpoolWriter::stage(std::span<const char> frame, std::string_view crash_point) {
  // A turn's records are far fewer; should they ever be more, they are written in parts.
  if (staged_bytes_.size() + frame.size() > kStagedBytes) flush();
  staged_bytes_.append(frame.data(), frame.size());
  staged_.push_back({frame.size(), crash_point});
}

void SpoolWriter::drop_staged() {
  staged_bytes_.clear();
  staged_.clear();
}

void SpoolWriter::park_staged() {
  size_t at = 0;
  for (const Staged& each : staged_) {
    const std::span<char> frame(staged_bytes_.data() + at, each.bytes);
    at += each.bytes;
    if (!spool_.park(frame)) log_lost(frame);
  }
  drop_staged();
  parked_ = true;
  seal();  // what this loop writes after them is in a segment with a larger number than theirs
}

bool SpoolWriter::write_staged() {
  bool written = write_once();
  if (!written) {
    // Whatever the reason, giving the reserve back is the one remedy at hand (another loop may just
    // have).
    spool_.stop_accepting("write failed");
    spool_.release_reserve();
    written = write_once();
  }
  if (!written) return false;
  for (const Staged& each : staged_) {
    if (!each.crash_point.empty()) base::crash_point(each.crash_point);
  }
  drop_staged();
  return true;
}

bool SpoolWriter::write_once() {
  if (!ready_segment()) return false;
  char* frame = staged_bytes_.data();
  for (const Staged& each : staged_) {
    stamp({frame, each.bytes}, segment_->salt);
    frame += each.bytes;
  }
  const uint64_t start = segment_->written.load(std::memory_order_relaxed);
  ssize_t n = 0;
  do {
    n = ::write(segment_->fd, staged_bytes_.data(), staged_bytes_.size());
  } while (n < 0 && errno == EINTR);
  if (n == static_cast<ssize_t>(staged_bytes_.size())) {
    segment_->written.store(start + staged_bytes_.size(), std::memory_order_release);
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
