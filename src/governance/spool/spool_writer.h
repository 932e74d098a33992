// Appends one event loop's records to its own segments, without a lock or an allocation. On a loop
// the records of a turn are written together, by flush(), before anything of that turn is sent: one
// write(2) for all requests that moved. Owned by its loop and used on its thread only.
// Invariant: a segment holds whole frames, except for a torn one at its end that its process did
// not live to cut off.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "governance/spool/record.h"
#include "governance/spool/segment.h"

namespace deeppool::governance {

class Spool;

// When records reach the file: each with its append_...(), or all with flush().
enum class WriteWhen { appended, flushed };

class SpoolWriter {
 public:
  SpoolWriter(Spool& spool, int loop, WriteWhen when) : spool_(spool), loop_(loop), when_(when) {}
  SpoolWriter(const SpoolWriter&) = delete;
  ~SpoolWriter();

  // unavailable: the request must not be dispatched.
  Result<void> append_hold(const HoldRecord& record);
  // Best effort: the next one says more.
  void append_progress(const ProgressRecord& record);
  // Never refused.
  void append_final(const FinalRecord& record);
  // Writes what was appended. If the disk will not take it even from the reserve, the records wait
  // in memory, the spool stops accepting, and the flushing thread writes them as soon as it can.
  // Until it has, later ones wait behind them: a final record never comes before its hold.
  void flush();

 private:
  friend class Spool;
  struct Staged {
    size_t bytes = 0;
    std::string_view crash_point;  // to be visited when it is on disk; empty: none
  };
  // Stages the frame; false if it was to be written at once and could not be.
  bool write(std::span<const char> frame, std::string_view crash_point);
  void stage(std::span<const char> frame, std::string_view crash_point);
  // Whether all that was staged is on disk. If not, nothing of it is, and the spool has stopped
  // accepting.
  bool write_staged();
  bool write_once();
  void park_staged();
  void drop_staged();
  bool ready_segment();
  void seal();

  Spool& spool_;
  const int loop_;
  const WriteWhen when_;
  std::shared_ptr<LiveSegment> segment_;
  FrameBuffer buffer_;
  std::string staged_bytes_;  // whole frames
  std::vector<Staged> staged_;
  bool parked_ = false;  // records of this loop may be waiting in memory
};

}  // namespace deeppool::governance
