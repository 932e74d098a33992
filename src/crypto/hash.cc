#include "crypto/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace deeppool::crypto {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* ctx) const { EVP_MD_CTX_free(ctx); }
};

// Fetched once: EVP_sha256() looks the algorithm up again on every use (OpenSSL 3, crypto(7)).
const EVP_MD* sha256_algorithm() {
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  if (algorithm == nullptr) std::abort();
  return algorithm;
}

}  // namespace

Digest sha256(std::string_view bytes) {
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  Digest out;
  const bool ok = context && EVP_DigestInit_ex2(context.get(), sha256_algorithm(), nullptr) == 1 &&
                  EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1 &&
                  EVP_DigestFinal_ex(context.get(), out.data(), nullptr) == 1;
  if (!ok) std::abort();
  return out;
}

Digest hmac_sha256(std::string_view key, std::string_view bytes) {
  Digest out;
  unsigned size = 0;
  // A null key means "the key of the last call" to HMAC; an empty one is a valid key.
  const char* const key_bytes = key.empty() ? "" : key.data();
  if (HMAC(sha256_algorithm(), key_bytes, static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), out.data(),
           &size) == nullptr ||
      size != out.size()) {
    std::abort();
  }
  return out;
}

HashMemo::~HashMemo() {
  OPENSSL_cleanse(text_.data(), size_);
}

const Digest& HashMemo::sha256(std::string_view text) {
  const bool known = size_ > 0 && constant_time_equal(text, {text_.data(), size_});
  if (known) return digest_;
  digest_ = crypto::sha256(text);
  size_ = text.size() <= text_.size() ? text.size() : 0;
  std::ranges::copy(text.substr(0, size_), text_.data());
  return digest_;
}

// The empty statement keeps the compiler from seeing that `differ` only grows, which would allow
// it to stop early.
bool constant_time_equal(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  uint64_t differ = 0;
  const auto compare = [&](size_t at, size_t size) {
    uint64_t left = 0;
    uint64_t right = 0;
    std::memcpy(&left, a.data() + at, size);
    std::memcpy(&right, b.data() + at, size);
    differ |= left ^ right;
    asm volatile("" : "+r"(differ));
  };
  size_t at = 0;
  for (; at + sizeof differ <= a.size(); at += sizeof differ) compare(at, sizeof differ);
  for (; at < a.size(); ++at) compare(at, 1);
  return differ == 0;
}

}  // namespace deeppool::crypto
