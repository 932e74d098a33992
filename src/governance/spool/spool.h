// The spool's folder: which run this is, which segments exist, whether the disk can take more.
// One Spool per process, safe on every thread; it makes one SpoolWriter per event loop and owns the
// thread that flushes their segments (fdatasync every 50 ms: a power cut costs at most that
// much, kill -9 nothing). Invariant: while accepting() is true, the reserve is allocated and no
// record is waiting in memory for the disk.
#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "governance/spool/limits.h"
#include "governance/spool/segment.h"
#include "governance/spool/spool_writer.h"

namespace deeppool::governance {

// What to do with a folder that does not survive a restart (tmpfs, overlay).
enum class VolatileFolder { refuse, allow };

struct SpoolSettings {
  std::filesystem::path directory;  // data_dir/spool; made if absent
  VolatileFolder volatile_folder = VolatileFolder::refuse;
  base::Duration sync_interval = std::chrono::milliseconds(50);
  uint64_t segment_bytes = kSegmentBytes;
  uint64_t reserve_bytes = kReserveBytes;
  uint64_t min_free_bytes = kMinFreeBytes;
};

// A segment as the applier sees it.
struct SegmentView {
  std::filesystem::path path;
  int64_t number = 0;
  uint64_t readable = 0;  // bytes that are complete
  bool sealed = false;    // no more will come
  bool adopted = false;   // left by an earlier run
};

class Spool {
 public:
  // Locks the folder for this process, finds what earlier runs left, allocates the reserve and
  // starts the flushing thread. unavailable: not writable, in use by another process, or volatile.
  // `clock` and `random` outlive the Spool.
  static Result<std::unique_ptr<Spool>> open(SpoolSettings settings, const base::Clock& clock,
                                             base::Random& random);
  ~Spool();

  // For the event loop `loop` (0, 1, ...), to be used on its thread only; outlived by the Spool.
  std::unique_ptr<SpoolWriter> writer(int loop, WriteWhen when = WriteWhen::appended);

  // False: refuse new billable work with 503, finish what is in flight. Becomes true again by
  // itself.
  bool accepting() const { return accepting_.load(std::memory_order_relaxed); }

  const InstanceId& instance() const { return instance_; }
  // From here on segments have larger numbers than `segment`: of a run that this folder, an older
  // copy of itself, knows nothing of. Before anything is written.
  void number_after(int64_t segment);
  // Oldest first.
  std::vector<SegmentView> segments() const;
  // Deletes a sealed segment whose records are all applied.
  Result<void> remove(const SegmentView& segment);
  // The same for one that somebody must look at: it stays as `<name>.aside` and is not read again.
  Result<void> set_aside(const SegmentView& segment);
  // Records that neither disk nor memory could take; each was logged. 0 unless the disk stayed
  // dead.
  uint64_t lost() const { return lost_.load(); }

  // One round of the flushing thread: flush, write what waits in memory, look at the disk. For
  // tests.
  void sync_now();

 private:
  friend class SpoolWriter;
  Spool(SpoolSettings settings, const base::Clock& clock);

  Result<void> lock_folder();
  Result<void> load_identity(base::Random& random);
  Result<void> store_identity() const;

  void forget(int64_t number);

  // For writers.
  Result<std::shared_ptr<LiveSegment>> open_segment(int loop);
  void stop_accepting(std::string_view why);
  bool release_reserve();
  // False if there is no room left in memory either.
  bool park(std::span<const char> frame);
  // Whether anything parked is not on disk yet.
  bool parking() const { return parking_.load(std::memory_order_acquire); }

  void run(const std::stop_token& stop);
  void flush_segments();
  void write_parked();
  void look_at_disk();
  bool allocate_reserve();

  const SpoolSettings settings_;
  const base::Clock& clock_;
  InstanceId instance_;
  int64_t run_ = 0;
  int lock_fd_ = -1;
  std::atomic<int> reserve_fd_{-1};
  std::atomic<int64_t> next_segment_{0};
  std::atomic<bool> accepting_{true};
  std::atomic<uint64_t> lost_{0};
  std::atomic<bool> parking_{false};

  mutable std::mutex mutex_;  // guards the three below
  std::vector<SegmentView> adopted_;
  std::vector<std::shared_ptr<LiveSegment>> live_;
  std::vector<std::string> parked_;
  size_t parked_bytes_ = 0;

  std::mutex sync_mutex_;  // one round at a time; guards parked_writer_
  std::unique_ptr<SpoolWriter> parked_writer_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: stops first
};

}  // namespace deeppool::governance
