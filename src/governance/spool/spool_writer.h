// Appends one event loop's records to its own segments: one write(2) each, no lock, no allocation.
// Owned by its loop and used on its thread only.
// Invariant: a segment holds whole frames, except for a torn one at its end that its process did
// not live to cut off.
#pragma once

#include <memory>
#include <span>

#include "base/error.h"
#include "governance/spool/record.h"
#include "governance/spool/segment.h"

namespace deeppool::governance {

class Spool;

class SpoolWriter {
 public:
  SpoolWriter(Spool& spool, int loop) : spool_(spool), loop_(loop) {}
  SpoolWriter(const SpoolWriter&) = delete;
  ~SpoolWriter();

  // unavailable if it is not on disk: the request must not be dispatched.
  Result<void> append_hold(const HoldRecord& record);
  // Best effort: the next one says more.
  void append_progress(const ProgressRecord& record);
  // Never refused. If the disk will not take it even from the reserve, the record waits in memory,
  // the spool stops accepting, and the flushing thread writes it as soon as it can.
  void append_final(const FinalRecord& record);

 private:
  friend class Spool;
  // Whether the frame is whole on disk. If not, nothing of it is, and the spool has stopped
  // accepting.
  bool write_frame(std::span<char> frame);
  bool write_once(std::span<char> frame);
  bool ready_segment();
  void seal();

  Spool& spool_;
  const int loop_;
  std::shared_ptr<LiveSegment> segment_;
  FrameBuffer buffer_;
};

}  // namespace deeppool::governance
