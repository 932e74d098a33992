#include "crypto/private_folder.h"

namespace deeppool::crypto {

std::error_code make_private_folder(const std::filesystem::path& folder) {
  std::error_code failed;
  if (std::filesystem::create_directories(folder, failed)) {
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, failed);
  }
  return failed;
}

}  // namespace deeppool::crypto
