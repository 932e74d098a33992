// Golden files: what a test makes is compared with a file of the source tree, byte for byte.
// UPDATE_GOLDEN=1 in the environment writes the file instead; read the diff before committing it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace deeppool::testing {

// Dies if there is no such file.
std::string read_file(const std::filesystem::path& path);
// A non-fatal failure, naming the file, where they differ.
void expect_golden(const std::filesystem::path& path, std::string_view actual);
// The files of `folder` whose names end so, in order of their names. Dies if there are none.
std::vector<std::filesystem::path> files_ending(const std::filesystem::path& folder,
                                                std::string_view ending);

}  // namespace deeppool::testing
