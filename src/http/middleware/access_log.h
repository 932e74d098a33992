// The access log: one JSON object per request and line, without content or secrets. AccessLogSink
// is the file or stream, shared by all loops. AccessLog is one per loop: it gathers lines and hands
// them to a blocking pool in one piece, by size, by time or at the end, so that a slow disk or a
// full pipe never stops the loop. What does not fit meanwhile is dropped and counted.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "async/blocking_pool.h"
#include "async/loop.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/text_buffer.h"
#include "http/server/exchange.h"
#include "http/server/router.h"

namespace deeppool::http {

class AccessLogSink {
 public:
  // `target`: "stdout", "stderr", "off" or a file, which is appended to; missing folders are made.
  // Errors: invalid_request that names the file and why it cannot be opened.
  static Result<std::unique_ptr<AccessLogSink>> open(const std::string& target);
  ~AccessLogSink();
  AccessLogSink(const AccessLogSink&) = delete;
  AccessLogSink& operator=(const AccessLogSink&) = delete;

  bool off() const { return fd_ < 0; }
  // Blocks until the bytes are out. What cannot be written (disk full) counts as dropped. Any
  // thread.
  void write(std::string_view lines);
  // After the file was moved away (rotation). Keeps the old one if the new cannot be opened. Any
  // thread.
  Result<void> reopen();
  void count_dropped(uint64_t lines) { dropped_ += lines; }
  uint64_t dropped() const { return dropped_; }

 private:
  AccessLogSink(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  const std::string path_;  // empty for stdout and stderr
  int fd_;
  std::mutex mutex_;
  std::atomic<uint64_t> dropped_{0};
};

class AccessLog {
 public:
  // All outlive it.
  struct Parts {
    async::Loop& loop;
    async::BlockingPool& pool;
    AccessLogSink& sink;
    const base::Clock& clock;
  };
  explicit AccessLog(Parts parts);

  // For ServerHooks::after.
  void add(const Exchange& x, const Route* route);
  // The end, on the loop: everything so far is out when it returns.
  Task<void> close();

 private:
  static void on_timer(void* self) { static_cast<AccessLog*>(self)->hand_over(); }
  void append_time();
  void hand_over();
  Task<void> write_out(base::TextBuffer lines);

  Parts parts_;
  base::TextBuffer lines_;
  std::string second_;  // "2026-11-23T10:00:00", made once a second
  int64_t second_value_ = -1;
  bool writing_ = false;
  async::Timer timer_;
  async::TaskGroup tasks_;
};

// Members for the access log that a handler knows (model, tokens, ...): appended to x.log_fields.
void add_log_field(Exchange& x, std::string_view name, std::string_view value);
void add_log_field(Exchange& x, std::string_view name, int64_t value);

}  // namespace deeppool::http
