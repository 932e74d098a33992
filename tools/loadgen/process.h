// What the kernel says about a process: CPU seconds and resident memory. The honest figure of a
// benchmark, as it is not disturbed by who else wanted the core.
#pragma once

#include <cstdint>
#include <optional>

namespace deeppool::load {

struct ProcessUse {
  double cpu_seconds = 0;   // exact
  double user_seconds = 0;  // in ticks of 10 ms
  double system_seconds = 0;
  int64_t resident_bytes = 0;
};
// The process and its direct children (nginx works in a child), all threads. Nothing when it is
// gone.
std::optional<ProcessUse> process_use(int64_t pid);

}  // namespace deeppool::load
