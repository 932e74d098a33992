// Folders for what only their owner may read: the database, the spool, keys. Blocking.
#pragma once

#include <filesystem>
#include <system_error>

namespace deeppool::crypto {

// Makes `folder` with mode 0700, and what is missing above it as usual. A folder that exists keeps
// its mode: its owner chose it.
std::error_code make_private_folder(const std::filesystem::path& folder);

}  // namespace deeppool::crypto
