// Named places at which a test may kill the process: DEEPPOOL_CRASH_AT=<name> dies at the first
// visit, <name>:<N> at the Nth. Read once at start; unset, a visit is one predictable branch. Any
// thread.
#pragma once

#include <string_view>

namespace deeppool::base {

extern const bool crash_points_armed;
void visit_crash_point(std::string_view name);

// SIGKILL to ourselves, as `kill -9` would: no destructor runs, nothing is flushed.
inline void crash_point(std::string_view name) {
  if (crash_points_armed) [[unlikely]]
    visit_crash_point(name);
}

}  // namespace deeppool::base
