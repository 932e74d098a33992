#include "http/middleware/access_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "http/limits.h"

namespace deeppool::http {
namespace {

int open_file(const std::string& path) {
  // Not O_NONBLOCK: a pool thread writes, it may wait.
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

Error cannot_open(const std::string& path, int code) {
  return Error(ErrorCode::invalid_request,
               "access_log: cannot open " + path + ": " + std::strerror(code));
}

// The three digits behind the point.
std::array<char, 3> three_digits(int64_t n) {
  return {static_cast<char>('0' + n / 100), static_cast<char>('0' + n / 10 % 10),
          static_cast<char>('0' + n % 10)};
}

std::string_view view_of(const std::array<char, 3>& digits) {
  return {digits.data(), digits.size()};
}

// Milliseconds with three digits behind the point.
template <class Name>
void append_milliseconds(base::TextBuffer& out, const Name& name, base::Duration d) {
  const int64_t us = std::max<int64_t>(0, std::chrono::floor<std::chrono::microseconds>(d).count());
  out.put(",\"", name, "\":", us / 1000, '.', view_of(three_digits(us % 1000)));
}

std::string_view outcome(const Exchange& x) {
  const bool gone = x.write_failed() ||
                    (x.scope.cancelled() && x.scope.reason() == async::CancelReason::caller_gone);
  if (gone || !x.answered()) return "caller_gone";
  if (x.scope.cancelled()) return "shutting_down";
  return x.stream_open() ? "cut" : "answered";
}

void append_exchange(base::TextBuffer& out, const Exchange& x, const Route* route,
                     base::Instant now) {
  const auto id = x.id.spell();
  out.put(",\"request_id\":\"", std::string_view(id.data(), id.size()), '"');
  const bool traced = x.trace.trace_id[0] != '\0';
  if (traced) out.put(",\"trace_id\":\"", x.trace.id(), '"');
  if (x.user.id) out.put(",\"user\":", x.user.id.value);
  out.put(",\"ip\":");
  out.put_json_string(x.peer_ip);
  out.put(",\"method\":\"", to_string(x.head.method), "\",\"path\":");
  out.put_json_string(x.path().substr(0, kMaxLoggedPath));
  if (route != nullptr) out.put(",\"route\":\"", std::string_view(route->pattern), '"');
  out.put(",\"status\":", x.status());
  append_milliseconds(out, "total_ms", now - x.started);
  if (x.first_byte_at() != base::Instant{}) {
    append_milliseconds(out, "ttft_ms", x.first_byte_at() - x.started);
  }
  out.put(",\"bytes\":", x.bytes_sent(), ",\"outcome\":\"", outcome(x), '"');
  if (x.log_fields.size() <= kMaxLogFields) out.put(x.log_fields.view());
  out.put("}\n");
}

}  // namespace

Result<std::unique_ptr<AccessLogSink>> AccessLogSink::open(const std::string& target) {
  std::string path;
  int fd = -1;
  if (target == "stdout" || target == "stderr") {
    fd = ::dup(target == "stdout" ? STDOUT_FILENO : STDERR_FILENO);
  } else if (target != "off") {
    path = target;
    std::error_code ignored;  // opening the file says what is wrong
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
    fd = open_file(path);
  }
  if (fd < 0 && target != "off") return cannot_open(target, errno);
  return std::unique_ptr<AccessLogSink>(new AccessLogSink(std::move(path), fd));
}

AccessLogSink::~AccessLogSink() {
  if (fd_ >= 0) ::close(fd_);
}

void AccessLogSink::write(std::string_view lines) {
  const std::scoped_lock lock(mutex_);
  while (!lines.empty()) {
    const ssize_t n = ::write(fd_, lines.data(), lines.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    lines.remove_prefix(static_cast<size_t>(n));
  }
  dropped_ += static_cast<uint64_t>(std::count(lines.begin(), lines.end(), '\n'));
}

Result<void> AccessLogSink::reopen() {
  if (path_.empty()) return {};
  const int fresh = open_file(path_);
  if (fresh < 0) return cannot_open(path_, errno);
  const std::scoped_lock lock(mutex_);
  ::close(std::exchange(fd_, fresh));
  return {};
}

AccessLog::AccessLog(Parts parts)
    : parts_(parts), timer_(parts.loop, &AccessLog::on_timer, this), tasks_(parts.loop) {}

void AccessLog::append_time() {
  const int64_t ms = base::unix_ms(parts_.clock.wall());
  if (ms / 1000 != second_value_) {
    second_value_ = ms / 1000;
    const time_t t = static_cast<time_t>(second_value_);
    std::tm tm{};
    gmtime_r(&t, &tm);
    char text[32];
    second_.assign(text, strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm));
  }
  lines_.put("{\"ts\":\"", std::string_view(second_), '.', view_of(three_digits(ms % 1000)), "Z\"");
}

void AccessLog::add(const Exchange& x, const Route* route) {
  if (parts_.sink.off()) return;
  if (lines_.size() >= kMaxAccessLogWaiting) {
    parts_.sink.count_dropped(1);
    return;
  }
  if (lines_.empty()) {
    lines_.reserve(2 * kAccessLogPiece);  // once, rather than doubling up to it piece after piece
    timer_.set(parts_.loop.now() + kAccessLogDelay);
  }
  append_time();
  append_exchange(lines_, x, route, parts_.clock.now());
  if (lines_.size() >= kAccessLogPiece) hand_over();
}

// One piece at a time: while it is being written, lines gather for the next.
void AccessLog::hand_over() {
  if (writing_ || lines_.empty()) return;
  writing_ = true;
  timer_.clear();
  tasks_.spawn(write_out(std::exchange(lines_, {})));
}

Task<void> AccessLog::write_out(base::TextBuffer lines) {
  auto piece = std::make_shared<const base::TextBuffer>(std::move(lines));
  AccessLogSink& sink = parts_.sink;
  auto job = [piece, &sink]() -> Result<size_t> {
    sink.write(*piece);
    return piece->size();
  };
  // No deadline: the sink may block for long, and kMaxAccessLogWaiting bounds what gathers
  // meanwhile.
  Result<size_t> done = co_await parts_.pool.run(std::move(job), base::Deadline{});
  if (!done) {
    sink.count_dropped(static_cast<uint64_t>(std::ranges::count(piece->view(), '\n')));
  }
  writing_ = false;
  if (!lines_.empty()) timer_.set(parts_.loop.now() + kAccessLogDelay);
}

Task<void> AccessLog::close() {
  while (writing_ || !lines_.empty()) {
    hand_over();
    co_await tasks_.join(base::Deadline{});
  }
}

void add_log_field(Exchange& x, std::string_view name, std::string_view value) {
  x.log_fields.put(",\"", name, "\":");
  x.log_fields.put_json_string(value);
}

void add_log_field(Exchange& x, std::string_view name, int64_t value) {
  x.log_fields.put(",\"", name, "\":", value);
}

}  // namespace deeppool::http
