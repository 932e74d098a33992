#include "metrics/process.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

namespace deeppool::metrics {
namespace {

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Memory {
  uint64_t virtual_bytes = 0;
  uint64_t resident_bytes = 0;
};

Memory memory() {
  std::ifstream statm("/proc/self/statm");
  Memory m;
  statm >> m.virtual_bytes >> m.resident_bytes;
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return {m.virtual_bytes * page, m.resident_bytes * page};
}

uint64_t open_descriptors() {
  DIR* dir = opendir("/proc/self/fd");
  if (dir == nullptr) return 0;
  uint64_t entries = 0;
  while (readdir(dir) != nullptr) ++entries;
  closedir(dir);
  return entries > 3 ? entries - 3 : 0;  // ".", ".." and the descriptor of this listing
}

double max_descriptors() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

void write_process_metrics(Exposition& out, base::WallTime started) {
  using Type = Exposition::Type;
  const Memory m = memory();
  out.family("process_cpu_seconds_total", Type::counter, "User and system CPU time.");
  out.sample({}, cpu_seconds());
  out.family("process_resident_memory_bytes", Type::gauge, "Resident memory.");
  out.sample({}, m.resident_bytes);
  out.family("process_virtual_memory_bytes", Type::gauge, "Virtual memory.");
  out.sample({}, m.virtual_bytes);
  out.family("process_open_fds", Type::gauge, "Open file descriptors.");
  out.sample({}, open_descriptors());
  out.family("process_max_fds", Type::gauge, "Descriptors that this process may open.");
  out.sample({}, max_descriptors());
  out.family("process_start_time_seconds", Type::gauge, "Start of the process, Unix time.");
  out.sample({}, static_cast<double>(base::unix_ms(started)) / 1000);
}

}  // namespace deeppool::metrics
