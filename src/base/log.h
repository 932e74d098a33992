// Structured log: one JSON object a line on stderr, control characters escaped, so that no field
// can forge a line. Safe on every thread; a full queue drops the oldest line and counts it, it
// never blocks. Never pass content of requests or secrets.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace deeppool::base::log {

enum class Level { debug, info, warn, error, off };

struct Field {
  template <class T>
  Field(std::string_view k, const T& v) : key(k) {
    if constexpr (std::is_same_v<T, bool>) {
      value = v;
    } else if constexpr (std::is_integral_v<T>) {
      value = static_cast<int64_t>(v);
    } else if constexpr (std::is_floating_point_v<T>) {
      value = static_cast<double>(v);
    } else {
      value = std::string_view(v);
    }
  }
  std::string_view key;
  std::variant<std::string_view, int64_t, double, bool> value;
};
using Fields = std::initializer_list<Field>;

void set_level(Level level);
// debug, info, warn, error, off; false if it is none of them.
bool set_level(std::string_view name);
bool enabled(Level level);

void write(Level level, std::string_view message, Fields fields);
inline void debug(std::string_view m, Fields f = {}) {
  if (enabled(Level::debug)) write(Level::debug, m, f);
}
inline void info(std::string_view m, Fields f = {}) {
  if (enabled(Level::info)) write(Level::info, m, f);
}
inline void warn(std::string_view m, Fields f = {}) {
  write(Level::warn, m, f);
}
inline void error(std::string_view m, Fields f = {}) {
  write(Level::error, m, f);
}

// One ready-made line (the access log builds its own). `line` has no newline.
void write_line(std::string_view line);
// Waits until all lines so far are out; for the end of the program.
void flush();
// Lines dropped because the queue was full.
uint64_t dropped();

}  // namespace deeppool::base::log

namespace deeppool {
namespace log = base::log;
}
