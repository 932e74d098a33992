#include "base/log.h"

#include <signal.h>
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <chrono>
#include <ctime>

#include "base/text.h"
#include "base/thread_name.h"

namespace deeppool::base::log {
namespace {

constexpr size_t kQueueLines = 16384;  // a burst of about a second at full load

std::atomic<Level> g_level{Level::info};

// The thread of the log may be older than the mask that a program gives to its threads: a signal
// that it took would end the program.
void begin_thread() {
  name_this_thread("log");
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

// Built at first use and never destroyed: threads may log until the very end, and flush() is the
// way out. The thread pool belongs to us: spdlog's global one is torn down in an order that we do
// not control.
struct Sink {
  std::shared_ptr<spdlog::details::thread_pool> pool =
      std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1, begin_thread);
  std::shared_ptr<spdlog::async_logger> logger = std::make_shared<spdlog::async_logger>(
      "deeppool", std::make_shared<spdlog::sinks::stderr_sink_mt>(), pool,
      spdlog::async_overflow_policy::overrun_oldest);
  Sink() {
    logger->set_pattern("%v");
    logger->set_level(spdlog::level::trace);
  }
};

Sink& sink() {
  static Sink& instance = *new Sink;
  return instance;
}

constexpr std::string_view kNames[] = {"debug", "info", "warn", "error", "off"};

void append_value(std::string& out, const Field& field) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    append_json_string(out, *text);
  } else if (const auto* number = std::get_if<int64_t>(&field.value)) {
    fmt::format_to(std::back_inserter(out), "{}", *number);
  } else if (const auto* real = std::get_if<double>(&field.value)) {
    fmt::format_to(std::back_inserter(out), "{:.6g}", *real);
  } else {
    out += std::get<bool>(field.value) ? "true" : "false";
  }
}

void append_time(std::string& out) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  const time_t seconds = static_cast<time_t>(us / 1000000);
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
                 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                 us % 1000000);
}

}  // namespace

void set_level(Level level) {
  g_level = level;
}

bool set_level(std::string_view name) {
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == name) {
      g_level = static_cast<Level>(i);
      return true;
    }
  }
  return false;
}

bool enabled(Level level) {
  return level >= g_level.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view message, Fields fields) {
  if (!enabled(level)) return;
  std::string line = "{\"ts\":\"";
  append_time(line);
  line += "\",\"level\":\"";
  line += kNames[static_cast<size_t>(level)];
  line += "\",\"msg\":";
  append_json_string(line, message);
  for (const Field& field : fields) {
    line.push_back(',');
    append_json_string(line, field.key);
    line.push_back(':');
    append_value(line, field);
  }
  line.push_back('}');
  write_line(line);
}

void write_line(std::string_view line) {
  sink().logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

void flush() {
  // The queue is in order: once it is empty and the sink flushed, everything is out.
  sink().logger->flush();
  // tidy: allow sleep: once, at the end of the program, on the main thread
  while (sink().pool->queue_size() > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

uint64_t dropped() {
  return sink().pool->overrun_counter();
}

}  // namespace deeppool::base::log
