#include "loadgen/process.h"

#include <unistd.h>

#include <filesystem>
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

// Nanoseconds on the CPU of all threads: stat alone counts in ticks of 10 ms. What ended threads
// used is missing, so this is for servers, whose threads stay.
double scheduled_seconds(const std::string& directory) {
  double sum = 0;
  std::error_code failed;
  for (const auto& task : std::filesystem::directory_iterator(directory + "/task", failed)) {
    const std::string text = read_file(task.path() / "schedstat");
    sum +=
        static_cast<double>(base::parse_int<int64_t>(text.substr(0, text.find(' '))).value_or(0));
  }
  return sum / 1e9;
}

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
  use.cpu_seconds += scheduled_seconds(directory);
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
