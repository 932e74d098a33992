#include "testing/golden.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace deeppool::testing {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  std::stringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

void expect_golden(const std::filesystem::path& path, std::string_view actual) {
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << actual;
    return;
  }
  if (!std::filesystem::exists(path)) {
    ADD_FAILURE() << path << " is missing: run with UPDATE_GOLDEN=1";
    return;
  }
  EXPECT_EQ(read_file(path), actual) << path << ": run with UPDATE_GOLDEN=1 if this is right";
}

std::vector<std::filesystem::path> files_ending(const std::filesystem::path& folder,
                                                std::string_view ending) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().ends_with(ending)) found.push_back(entry.path());
  }
  if (found.empty()) throw std::runtime_error("no such files in " + folder.string());
  std::ranges::sort(found);
  return found;
}

}  // namespace deeppool::testing
