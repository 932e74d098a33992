#include "loadgen/process.h"

#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

#include "base/text.h"

namespace deeppool::load {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// schedstat counts nanoseconds on the CPU, stat only ticks of 10 ms: stat gives the split,
// schedstat of all threads would miss the ended ones. Over runs of seconds the ticks are precise
// enough.
bool add_stat(const std::string& directory, ProcessUse& use) {
  const std::string text = read_file(directory + "/stat");
  const size_t after_name = text.rfind(')');
  if (after_name == std::string::npos) return false;
  const auto fields = base::split(std::string_view(text).substr(after_name + 2), ' ');
  if (fields.size() < 22) return false;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  // Counted from the field after the name: utime is the 12th, stime the 13th, rss the 22nd.
  use.user_seconds += static_cast<double>(base::parse_int<int64_t>(fields[11]).value_or(0)) / ticks;
  use.system_seconds +=
      static_cast<double>(base::parse_int<int64_t>(fields[12]).value_or(0)) / ticks;
  use.resident_bytes += base::parse_int<int64_t>(fields[21]).value_or(0) * sysconf(_SC_PAGESIZE);
  return true;
}

}  // namespace

std::optional<ProcessUse> process_use(int64_t pid) {
  ProcessUse use;
  const std::string self = "/proc/" + std::to_string(pid);
  if (!add_stat(self, use)) return std::nullopt;
  std::istringstream children(read_file(self + "/task/" + std::to_string(pid) + "/children"));
  std::string child;
  while (children >> child) add_stat("/proc/" + child, use);
  return use;
}

}  // namespace deeppool::load
