#include "crypto/password.h"

#include <crypt.h>
#include <openssl/crypto.h>

#include <array>
#include <cstdlib>
#include <memory>

#include "crypto/hash.h"

namespace deeppool::crypto {
namespace {

constexpr std::string_view kPrefix = "$2b$";
constexpr size_t kHashSize = 60;

struct WipeAndFree {
  void operator()(crypt_data* p) const {
    OPENSSL_cleanse(p, sizeof *p);
    delete p;  // tidy: allow raw-delete: this is the deleter
  }
};

// Empty if libxcrypt refuses the setting.
std::string bcrypt(std::string_view password, const std::string& setting) {
  const std::unique_ptr<crypt_data, WipeAndFree> scratch(new crypt_data{});
  std::string phrase(password);
  const char* out = crypt_r(phrase.c_str(), setting.c_str(), scratch.get());
  std::string hash = out == nullptr ? "" : out;
  OPENSSL_cleanse(phrase.data(), phrase.size());
  return hash.starts_with(kPrefix) && hash.size() == kHashSize ? hash : "";
}

// The setting of a hash that no password is meant to have.
std::string stand_in(BcryptCost cost) {
  std::string setting = std::string(kPrefix) + (cost.log2_rounds < 10 ? "0" : "");
  return setting + std::to_string(cost.log2_rounds) + "$abcdefghijklmnopqrstuu";
}

}  // namespace

Result<void> check_password(std::string_view password) {
  if (password.empty()) return Error::invalid("password", "password must not be empty");
  if (password.size() > kMaxPasswordBytes) {
    return Error::invalid("password",
                          "password must be at most 72 bytes long (UTF-8 letters beyond "
                          "ASCII take 2 to 4 bytes each)");
  }
  if (password.find('\0') != std::string_view::npos) {
    return Error::invalid("password", "password must not contain a NUL character");
  }
  return {};
}

Result<std::string> hash_password(std::string_view password, base::Random& random,
                                  BcryptCost cost) {
  DP_CHECK(check_password(password));
  std::array<uint8_t, 16> salt;
  random.fill(salt);
  char setting[CRYPT_GENSALT_OUTPUT_SIZE];
  if (crypt_gensalt_rn(kPrefix.data(), static_cast<unsigned long>(cost.log2_rounds),
                       reinterpret_cast<const char*>(salt.data()), salt.size(), setting,
                       sizeof setting) == nullptr) {
    return Error(ErrorCode::internal, "the password cannot be hashed", "crypt_gensalt_rn refused");
  }
  std::string hash = bcrypt(password, setting);
  if (hash.empty()) {
    return Error(ErrorCode::internal, "the password cannot be hashed", "crypt_r refused");
  }
  return hash;
}

bool verify_password(std::string_view password, const std::optional<std::string>& hash,
                     BcryptCost cost) {
  const bool possible = hash && check_password(password).ok();
  const std::string computed =
      bcrypt(password.substr(0, kMaxPasswordBytes), possible ? *hash : stand_in(cost));
  return possible && !computed.empty() && constant_time_equal(computed, *hash);
}

}  // namespace deeppool::crypto
