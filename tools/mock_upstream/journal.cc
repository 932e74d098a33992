#include "mock_upstream/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/text.h"

namespace deeppool::mock {
namespace {

void add(std::string& line, std::string_view name, std::string_view value) {
  line += ",\"" + std::string(name) + "\":";
  base::append_json_string(line, value);
}

void add(std::string& line, std::string_view name, int64_t value) {
  line += ",\"" + std::string(name) + "\":" + std::to_string(value);
}

}  // namespace

Result<Journal> Journal::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) {
    return Error::invalid("journal", "cannot open " + path + ": " + std::strerror(errno));
  }
  return Journal(fd);
}

Journal::Journal(Journal&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Journal& Journal::operator=(Journal&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Journal::~Journal() {
  if (fd_ >= 0) close(fd_);
}

void Journal::write(const Record& record) const {
  if (!on()) return;
  std::string line = "{\"id\":\"" + record.id + '"';
  add(line, "request_id", record.request_id);
  add(line, "traceparent", record.traceparent);
  add(line, "path", record.path);
  add(line, "dialect", record.dialect);
  add(line, "model", record.model);
  add(line, "behaviour", record.behaviour);
  line += record.stream ? ",\"stream\":true" : ",\"stream\":false";
  add(line, "started_us", record.started_us);
  add(line, "ended_us", record.ended_us);
  add(line, "events", record.events);
  add(line, "prompt_tokens", record.prompt_tokens);
  add(line, "completion_tokens", record.completion_tokens);
  add(line, "reasoning_tokens", record.reasoning_tokens);
  add(line, "cache_read_tokens", record.cache_read_tokens);
  add(line, "cache_write_tokens", record.cache_write_tokens);
  add(line, "end", record.end);
  line += "}\n";
  [[maybe_unused]] const ssize_t n = ::write(fd_, line.data(), line.size());
}

}  // namespace deeppool::mock
