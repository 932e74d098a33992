// Journal: the mock's own truth, one JSON line per request that it has read, written when the
// request ends. Shared by all loops; each line is one write(2), so a line is whole even if the mock
// is killed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace deeppool::mock {

struct Record {
  std::string id;          // of the answer: `id` in its JSON
  std::string request_id;  // x-request-id as received
  std::string traceparent;
  std::string path;
  std::string_view dialect;
  std::string model;
  std::string behaviour;
  bool stream = false;
  int64_t started_us = 0;  // Unix microseconds
  int64_t ended_us = 0;
  int64_t events = 0;  // SSE events sent in full to the kernel
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;  // pieces sent
  int64_t reasoning_tokens = 0;   // of them
  int64_t cache_read_tokens = 0;  // of the prompt's
  int64_t cache_write_tokens = 0;
  std::string_view end;  // completed, broken (by the script), peer_closed
};

class Journal {
 public:
  Journal() = default;  // writes nothing
  static Result<Journal> open(const std::string& path);
  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&& other) noexcept;
  ~Journal();

  bool on() const { return fd_ >= 0; }
  void write(const Record& record) const;

 private:
  explicit Journal(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace deeppool::mock
