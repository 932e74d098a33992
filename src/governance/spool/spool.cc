#include "governance/spool/spool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/log.h"
#include "base/thread_name.h"
#include "crypto/private_folder.h"

namespace deeppool::governance {
namespace {

// Segments of what had to wait in memory; above any number of cores.
constexpr int kParkedLoop = 9999;

Error failed(std::string_view what, const std::filesystem::path& path) {
  const int reason = errno;
  return Error(ErrorCode::unavailable, fmt::format("The spool folder cannot be used: {} {}: {}",
                                                   what, path.native(), std::strerror(reason)));
}

bool is_volatile(const std::filesystem::path& directory) {
  struct statfs fs{};
  if (::statfs(directory.c_str(), &fs) != 0) return false;
  const auto type = static_cast<uint32_t>(fs.f_type);
  return type == TMPFS_MAGIC || type == RAMFS_MAGIC || type == OVERLAYFS_SUPER_MAGIC;
}

Result<void> sync_folder(const std::filesystem::path& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return failed("opening", directory);
  const bool ok = ::fsync(fd) == 0;
  ::close(fd);
  if (!ok) return failed("flushing", directory);
  return {};
}

}  // namespace

Spool::Spool(SpoolSettings settings, const base::Clock& clock)
    : settings_(std::move(settings)), clock_(clock) {}

Result<std::unique_ptr<Spool>> Spool::open(SpoolSettings settings, const base::Clock& clock,
                                           base::Random& random) {
  if (const auto ec = crypto::make_private_folder(settings.directory)) {
    errno = ec.value();
    return failed("making", settings.directory);
  }
  if (settings.volatile_folder == VolatileFolder::refuse && is_volatile(settings.directory)) {
    return Error(
        ErrorCode::unavailable,
        fmt::format("The spool folder {} is on a file system that does not survive a restart "
                    "(tmpfs or overlay). Put data_dir on a persistent volume, or set "
                    "spool.allow_volatile.",
                    settings.directory.native()));
  }
  std::unique_ptr<Spool> spool(new Spool(std::move(settings), clock));
  DP_CHECK(spool->lock_folder());
  DP_CHECK(spool->load_identity(random));
  DP_CHECK(spool->store_identity());
  if (!spool->allocate_reserve()) spool->stop_accepting("no space for the reserve");
  Spool* self = spool.get();
  spool->thread_ = std::jthread([self](const std::stop_token& stop) { self->run(stop); });
  return spool;
}

Spool::~Spool() {
  thread_ = {};  // stops and joins
  sync_now();
  parked_writer_.reset();
  if (const int fd = reserve_fd_.exchange(-1); fd >= 0) ::close(fd);
  if (lock_fd_ >= 0) ::close(lock_fd_);
}

std::unique_ptr<SpoolWriter> Spool::writer(int loop, WriteWhen when) {
  return std::make_unique<SpoolWriter>(*this, loop, when);
}

Result<void> Spool::lock_folder() {
  const auto path = settings_.directory / "lock";
  lock_fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_fd_ < 0) return failed("opening", path);
  if (::flock(lock_fd_, LOCK_EX | LOCK_NB) == 0) return {};
  return Error(
      ErrorCode::unavailable,
      fmt::format("Another DeepPool process is using {}. Stop it, or give this one a data_dir "
                  "of its own.",
                  settings_.directory.native()));
}

Result<void> Spool::load_identity(base::Random& random) {
  int64_t last_run = 0;
  std::string id;
  std::ifstream(settings_.directory / "instance") >> id >> last_run;
  if (const auto known = InstanceId::parse(id)) {
    instance_ = *known;
  } else {
    instance_ = InstanceId::make(clock_, random);
  }
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator(settings_.directory, ec)) {
    const auto number = segment_number(entry.path());
    if (!number) continue;
    last_run = std::max(last_run, *number / kSegmentsPerRun);
    adopted_.push_back({entry.path(), *number, entry.file_size(ec), true, true});
  }
  if (ec) {
    errno = ec.value();
    return failed("listing", settings_.directory);
  }
  std::sort(adopted_.begin(), adopted_.end(),
            [](const SegmentView& a, const SegmentView& b) { return a.number < b.number; });
  run_ = last_run + 1;
  next_segment_ = run_ * kSegmentsPerRun;
  return {};
}

Result<void> Spool::store_identity() const {
  const auto path = settings_.directory / "instance";
  const auto fresh = settings_.directory / "instance.new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return failed("writing", fresh);
  const std::string text = fmt::format("{} {}\n", instance_.to_string(), run_);
  const bool ok = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                  ::fsync(fd) == 0;
  ::close(fd);
  if (!ok || ::rename(fresh.c_str(), path.c_str()) != 0) return failed("writing", fresh);
  return sync_folder(settings_.directory);
}

std::vector<SegmentView> Spool::segments() const {
  const std::lock_guard lock(mutex_);
  std::vector<SegmentView> all = adopted_;
  // Newest first: a final record that is seen in one has its hold seen in an older one.
  for (auto each = live_.rbegin(); each != live_.rend(); ++each) {
    const auto& segment = *each;
    // `sealed` first: what was written before it is then seen whole.
    const bool sealed = segment->sealed.load(std::memory_order_acquire);
    all.push_back({segment->path, segment->header.number,
                   segment->written.load(std::memory_order_acquire), sealed, false});
  }
  std::sort(all.begin(), all.end(),
            [](const SegmentView& a, const SegmentView& b) { return a.number < b.number; });
  return all;
}

void Spool::number_after(int64_t segment) {
  next_segment_ = std::max(next_segment_.load(), segment + 1);
}

Result<void> Spool::remove(const SegmentView& segment) {
  if (::unlink(segment.path.c_str()) != 0 && errno != ENOENT)
    return failed("deleting", segment.path);
  forget(segment.number);
  return {};
}

Result<void> Spool::set_aside(const SegmentView& segment) {
  std::filesystem::path aside = segment.path;
  aside += ".aside";
  if (::rename(segment.path.c_str(), aside.c_str()) != 0) return failed("renaming", segment.path);
  forget(segment.number);
  return {};
}

void Spool::forget(int64_t number) {
  const std::lock_guard lock(mutex_);
  std::erase_if(adopted_, [=](const SegmentView& s) { return s.number == number; });
  std::erase_if(live_, [=](const auto& s) { return s->header.number == number; });
}

Result<std::shared_ptr<LiveSegment>> Spool::open_segment(int loop) {
  const SegmentHeader header{instance_, next_segment_++, loop, base::unix_ms(clock_.wall())};
  const auto path = segment_path(settings_.directory, loop, header.number);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return failed("opening", path);
  auto segment = std::make_shared<LiveSegment>(fd, path, header);
  const SegmentHeaderBytes bytes = encode(header);
  if (::write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    Error error = failed("writing", path);
    ::unlink(path.c_str());
    return error;
  }
  segment->written.store(bytes.size(), std::memory_order_release);
  const std::lock_guard lock(mutex_);
  live_.push_back(segment);
  return segment;
}

void Spool::stop_accepting(std::string_view why) {
  if (accepting_.exchange(false)) log::error("spool stops accepting new work", {{"why", why}});
}

bool Spool::release_reserve() {
  const int fd = reserve_fd_.exchange(-1);
  if (fd < 0) return false;
  const bool freed = ::ftruncate(fd, 0) == 0;
  ::close(fd);
  return freed;
}

bool Spool::allocate_reserve() {
  if (reserve_fd_.load() >= 0) return true;
  const auto path = settings_.directory / "reserve";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  if (::posix_fallocate(fd, 0, static_cast<off_t>(settings_.reserve_bytes)) != 0) {
    (void)!::ftruncate(fd, 0);
    ::close(fd);
    return false;
  }
  reserve_fd_ = fd;
  return true;
}

bool Spool::park(std::span<const char> frame) {
  const std::lock_guard lock(mutex_);
  if (parked_bytes_ + frame.size() > kParkedBytes) {
    ++lost_;
    return false;
  }
  parking_ = true;
  parked_.emplace_back(frame.data(), frame.size());
  parked_bytes_ += frame.size();
  return true;
}

void Spool::run(const std::stop_token& stop) {
  base::name_this_thread("spool");
  std::mutex idle;
  std::unique_lock lock(idle);
  while (!stop.stop_requested()) {
    wake_.wait_for(lock, stop, settings_.sync_interval, [] { return false; });
    sync_now();
  }
}

void Spool::sync_now() {
  const std::lock_guard round(sync_mutex_);
  write_parked();
  flush_segments();
  look_at_disk();
}

void Spool::flush_segments() {
  std::vector<std::shared_ptr<LiveSegment>> segments;
  {
    const std::lock_guard lock(mutex_);
    segments = live_;
  }
  for (const auto& segment : segments) {
    const uint64_t written = segment->written.load(std::memory_order_acquire);
    if (written == segment->synced) continue;
    const bool is_new = segment->synced == 0;
    if (::fdatasync(segment->fd) != 0 || (is_new && !sync_folder(settings_.directory))) {
      // The kernel may have dropped the pages it could not write: go on in another file.
      segment->distrusted = true;
      stop_accepting("flush failed");
      log::error("spool flush failed", {{"segment", segment->path.native()}});
    }
    segment->synced = written;
  }
}

void Spool::write_parked() {
  std::vector<std::string> frames;
  {
    const std::lock_guard lock(mutex_);
    if (parked_.empty()) return;
    frames.swap(parked_);
    parked_bytes_ = 0;
  }
  if (parked_writer_ == nullptr) parked_writer_ = writer(kParkedLoop);
  auto rest = frames.begin();
  while (rest != frames.end() && parked_writer_->write(*rest, {})) ++rest;
  if (rest == frames.end()) parked_writer_.reset();  // sealed: can be applied and deleted
  const std::lock_guard lock(mutex_);
  if (rest == frames.end() && parked_.empty()) parking_.store(false, std::memory_order_release);
  // Before what was parked meanwhile.
  for (auto each = rest; each != frames.end(); ++each) parked_bytes_ += each->size();
  parked_.insert(parked_.begin(), std::make_move_iterator(rest),
                 std::make_move_iterator(frames.end()));
}

void Spool::look_at_disk() {
  struct statvfs fs{};
  if (::statvfs(settings_.directory.c_str(), &fs) != 0) return stop_accepting("statvfs failed");
  const uint64_t free_bytes = static_cast<uint64_t>(fs.f_bavail) * fs.f_frsize;
  if (accepting()) {
    if (free_bytes < settings_.min_free_bytes) stop_accepting("disk nearly full");
    return;
  }
  const uint64_t reserve = reserve_fd_.load() >= 0 ? 0 : settings_.reserve_bytes;
  if (free_bytes < settings_.min_free_bytes + reserve || !allocate_reserve()) return;
  {
    const std::lock_guard lock(mutex_);
    if (!parked_.empty()) return;
  }
  // Proof that the disk takes writes again, not only that it has space.
  const char probe = '\n';
  if (::pwrite(lock_fd_, &probe, 1, 0) != 1 || ::fdatasync(lock_fd_) != 0) return;
  accepting_ = true;
  log::info("spool accepts new work again", {{"free_bytes", free_bytes}});
}

}  // namespace deeppool::governance
