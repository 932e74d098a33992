#include "crypto/sealer.h"

#include <openssl/evp.h>

#include <array>
#include <cstdlib>
#include <memory>

#include "crypto/hash.h"

namespace deeppool::crypto {
namespace {

constexpr char kFormat = 1;
constexpr size_t kKeyTagSize = 4;
constexpr size_t kHeaderSize = 1 + kKeyTagSize;
constexpr size_t kNonceSize = 12;
constexpr size_t kTagSize = 16;
constexpr size_t kOverhead = kHeaderSize + kNonceSize + kTagSize;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* ctx) const { EVP_CIPHER_CTX_free(ctx); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* raw(const char* p) {
  return reinterpret_cast<const unsigned char*>(p);
}
unsigned char* raw(char* p) {
  return reinterpret_cast<unsigned char*>(p);
}

// Length first, so that no two places share one encoding.
void append_part(std::string& out, std::string_view part) {
  out += std::to_string(part.size());
  out += ':';
  out += part;
}

Error refused(const char* why) {
  return Error(ErrorCode::internal, "a stored secret cannot be opened", why);
}

}  // namespace

Sealer::Sealer(const SecretKey& key, base::Random& random) : key_(key), random_(random) {
  const auto bytes = key.bytes();
  const Digest digest =
      sha256(std::string("deeppool sealer key ") +
             std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  header_ = kFormat;
  header_ += bytes_of(digest).substr(0, kKeyTagSize);
}

std::string Sealer::associated_data(const SealedPlace& place) const {
  std::string out = header_;
  append_part(out, place.table);
  append_part(out, std::to_string(place.row));
  append_part(out, place.column);
  return out;
}

std::string Sealer::seal(const SealedPlace& place, std::string_view plain) const {
  std::array<uint8_t, kNonceSize> nonce;
  random_.fill(nonce);
  std::string out = header_;
  out.append(reinterpret_cast<const char*>(nonce.data()), nonce.size());
  const size_t body = out.size();
  out.resize(body + plain.size() + kTagSize);

  const std::string aad = associated_data(place);
  const Context ctx(EVP_CIPHER_CTX_new());
  int n = 0;
  const bool ok = ctx &&
                  EVP_EncryptInit_ex(ctx.get(), EVP_aes_256_gcm(), nullptr, key_.bytes().data(),
                                     nonce.data()) == 1 &&
                  EVP_EncryptUpdate(ctx.get(), nullptr, &n, raw(aad.data()),
                                    static_cast<int>(aad.size())) == 1 &&
                  EVP_EncryptUpdate(ctx.get(), raw(out.data() + body), &n, raw(plain.data()),
                                    static_cast<int>(plain.size())) == 1 &&
                  EVP_EncryptFinal_ex(ctx.get(), raw(out.data() + body + plain.size()), &n) == 1 &&
                  EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_GCM_GET_TAG, kTagSize,
                                      out.data() + body + plain.size()) == 1;
  if (!ok) std::abort();  // out of memory, or OpenSSL without AES: nothing may be stored in clear
  return out;
}

Result<std::string> Sealer::open(const SealedPlace& place, std::string_view sealed) const {
  if (sealed.size() < kOverhead) return refused("sealed value is too short");
  if (sealed[0] != kFormat) return refused("sealed value has an unknown format");
  if (!sealed.starts_with(header_)) return refused("sealed with another encryption key");
  const std::string_view nonce = sealed.substr(kHeaderSize, kNonceSize);
  const std::string_view body = sealed.substr(kHeaderSize + kNonceSize, sealed.size() - kOverhead);
  std::string tag(sealed.substr(sealed.size() - kTagSize));

  const std::string aad = associated_data(place);
  std::string plain(body.size(), '\0');
  const Context ctx(EVP_CIPHER_CTX_new());
  int n = 0;
  const bool ok = ctx &&
                  EVP_DecryptInit_ex(ctx.get(), EVP_aes_256_gcm(), nullptr, key_.bytes().data(),
                                     raw(nonce.data())) == 1 &&
                  EVP_DecryptUpdate(ctx.get(), nullptr, &n, raw(aad.data()),
                                    static_cast<int>(aad.size())) == 1 &&
                  EVP_DecryptUpdate(ctx.get(), raw(plain.data()), &n, raw(body.data()),
                                    static_cast<int>(body.size())) == 1 &&
                  EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_GCM_SET_TAG, kTagSize, tag.data()) == 1 &&
                  EVP_DecryptFinal_ex(ctx.get(), raw(plain.data() + plain.size()), &n) == 1;
  if (!ok) return refused("sealed value was altered or moved from its row or column");
  return plain;
}

}  // namespace deeppool::crypto
