#include "crypto/secret_key.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include "base/text.h"

namespace deeppool::crypto {
namespace {

Error file_error(const std::string& path, const char* action) {
  return Error(ErrorCode::unavailable, "cannot " + std::string(action) + " the key file " + path +
                                           ": " + std::strerror(errno));
}

class File {
 public:
  File(const std::string& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

// nullopt: there is no such file.
Result<std::optional<SecretKey>> load(const std::string& path) {
  const File file(path, O_RDONLY);
  if (file.fd() < 0) {
    if (errno == ENOENT) return std::optional<SecretKey>();
    return file_error(path, "open");
  }
  struct stat status{};
  if (fstat(file.fd(), &status) != 0) return file_error(path, "inspect");
  if ((status.st_mode & 077) != 0) {
    return Error(ErrorCode::unavailable,
                 "the key file " + path + " can be read by other users; run: chmod 600 " + path);
  }
  char text[2 * SecretKey::kSize + 8];
  const ssize_t size = read(file.fd(), text, sizeof text);
  if (size < 0) return file_error(path, "read");
  std::string_view hex(text, static_cast<size_t>(size));
  while (hex.ends_with('\n') || hex.ends_with('\r')) hex.remove_suffix(1);
  auto key = SecretKey::from_hex(hex);
  OPENSSL_cleanse(text, sizeof text);
  if (!key)
    return Error(ErrorCode::unavailable, "the key file " + path + " must hold 64 hex digits");
  return std::optional<SecretKey>(*key);
}

Result<void> write_new(const std::string& path, std::string_view text) {
  const File file(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (file.fd() < 0) return file_error(path, "create");
  if (write(file.fd(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      fsync(file.fd()) != 0) {
    return file_error(path, "write");
  }
  return {};
}

}  // namespace

Result<SecretKey> SecretKey::from_hex(std::string_view hex) {
  auto bytes = hex.size() == 2 * kSize ? base::hex_decode(hex) : std::nullopt;
  if (!bytes) return Error::invalid("key", "a key is exactly 64 hex digits (32 bytes)");
  SecretKey key;
  std::copy(bytes->begin(), bytes->end(), key.bytes_.begin());
  OPENSSL_cleanse(bytes->data(), bytes->size());
  return key;
}

SecretKey SecretKey::generate(base::Random& random) {
  SecretKey key;
  random.fill(key.bytes_);
  return key;
}

SecretKey::~SecretKey() {
  OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

std::string SecretKey::hex() const {
  return base::hex_encode({reinterpret_cast<const char*>(bytes_.data()), bytes_.size()});
}

Result<SecretKey> load_or_create_key(const std::string& path, base::Random& random) {
  DP_TRY(const auto existing, load(path));
  if (existing) return *existing;
  const SecretKey key = SecretKey::generate(random);
  const std::string draft = path + "." + std::to_string(getpid()) + ".new";
  DP_CHECK(write_new(draft, key.hex() + "\n"));
  // link(2), unlike rename(2), never replaces a key that another process has made meanwhile.
  const bool made = link(draft.c_str(), path.c_str()) == 0;
  const int why = errno;
  unlink(draft.c_str());
  errno = why;
  if (!made && why != EEXIST) return file_error(path, "create");
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const File folder(parent.empty() ? "." : parent, O_RDONLY | O_DIRECTORY);
  if (folder.fd() < 0 || fsync(folder.fd()) != 0) return file_error(path, "sync");
  DP_TRY(const auto stored, load(path));
  if (!stored) return Error(ErrorCode::unavailable, "the key file " + path + " vanished");
  return *stored;
}

}  // namespace deeppool::crypto
