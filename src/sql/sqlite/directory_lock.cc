#include "sql/sqlite/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace deeppool::sql {
namespace {

std::string holder(int fd) {
  char text[32];
  const ssize_t n = pread(fd, text, sizeof text, 0);
  return n > 0 ? " (process " + std::string(text, static_cast<size_t>(n)) + ")" : "";
}

}  // namespace

Result<DirectoryLock> DirectoryLock::take(const std::string& directory) {
  const std::string path = directory + "/deeppool.lock";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return Error(ErrorCode::unavailable,
                 "cannot write to the data directory " + directory + ": " + std::strerror(errno));
  }
  DirectoryLock lock(fd);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return Error(ErrorCode::unavailable, "another DeepPool process" + holder(fd) +
                                             " uses the data directory " + directory +
                                             "; stop it, or choose another data_dir");
  }
  const std::string pid = std::to_string(getpid());
  // Only a courtesy for the message above: the lock itself holds without it.
  if (ftruncate(fd, 0) == 0) [[maybe_unused]]
    const ssize_t n = pwrite(fd, pid.data(), pid.size(), 0);
  return lock;
}

DirectoryLock::~DirectoryLock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace deeppool::sql
