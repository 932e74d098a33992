// Holds a data directory for one process: an flock(2) on `deeppool.lock` inside it, freed by the
// kernel when the process ends, however it ends. Owned by the SQLite connector.
#pragma once

#include <string>
#include <utility>

#include "base/error.h"

namespace deeppool::sql {

class DirectoryLock {
 public:
  // unavailable: another process holds it (its id is named), or the directory is not writable.
  static Result<DirectoryLock> take(const std::string& directory);
  DirectoryLock(DirectoryLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace deeppool::sql
