#include <fcntl.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/password.h"
#include "crypto/sealer.h"

namespace deeppool::crypto {
namespace {

std::string hex(const Digest& d) {
  return base::hex_encode(bytes_of(d));
}

// Of any length, with one byte changed anywhere.
TEST(ConstantTime, SeesEveryByte) {
  for (size_t size = 1; size < 70; ++size) {
    const std::string text(size, 'k');
    EXPECT_TRUE(constant_time_equal(text, std::string(size, 'k')));
    EXPECT_FALSE(constant_time_equal(text, text + "k"));
    for (size_t at = 0; at < size; ++at) {
      std::string other = text;
      other[at] = 'K';
      EXPECT_FALSE(constant_time_equal(text, other));
    }
  }
}

TEST(HashMemo, AnswersLikeTheHashWhateverCameBefore) {
  HashMemo memo;
  for (const size_t size : {46, 46, 0, 0, 1, 63, 64, 64, 65, 65, 46, 200, 46}) {
    for (const char last : {'a', 'a', 'b'}) {
      std::string text(size, 'x');
      if (size > 0) text.back() = last;
      EXPECT_EQ(hex(memo.sha256(text)), hex(sha256(text)));
    }
  }
}

TEST(Sha256, Vectors) {  // FIPS 180-4, examples
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(HmacSha256, Vectors) {  // RFC 4231, cases 1, 2 and 6
  EXPECT_EQ(hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256(std::string(131, '\xaa'),
                            "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(hex(hmac_sha256("", "")),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(ConstantTimeEqual, ComparesBytes) {
  EXPECT_TRUE(constant_time_equal("", ""));
  EXPECT_TRUE(constant_time_equal("a\0b", "a\0b"));
  EXPECT_FALSE(constant_time_equal("abc", "abd"));
  EXPECT_FALSE(constant_time_equal("abc", "ab"));
}

class Sealing : public ::testing::Test {
 protected:
  base::SystemRandom random_;
  SecretKey key_ = SecretKey::generate(random_);
  Sealer sealer_{key_, random_};
  static constexpr SealedPlace kPlace{"api_keys", 7, "key_sealed"};
};

RC_GTEST_FIXTURE_PROP(Sealing, OpensWhatItSealed, (const std::string& plain)) {
  const std::string sealed = sealer_.seal(kPlace, plain);
  RC_ASSERT(sealed.size() == plain.size() + 33);
  const auto opened = sealer_.open(kPlace, sealed);
  RC_ASSERT(opened.ok());
  RC_ASSERT(*opened == plain);
}

TEST_F(Sealing, EveryFlippedBitIsRefused) {
  const std::string sealed = sealer_.seal(kPlace, "sk-secret");
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string altered = sealed;
    altered[bit / 8] = static_cast<char>(altered[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(sealer_.open(kPlace, altered).ok()) << "bit " << bit;
  }
}

TEST_F(Sealing, EveryShorterOrLongerTextIsRefused) {
  const std::string sealed = sealer_.seal(kPlace, "sk-secret");
  for (size_t n = 0; n < sealed.size(); ++n)
    EXPECT_FALSE(sealer_.open(kPlace, sealed.substr(0, n)).ok());
  EXPECT_FALSE(sealer_.open(kPlace, sealed + '\0').ok());
}

TEST_F(Sealing, OpensOnlyInItsPlace) {
  const std::string sealed = sealer_.seal(kPlace, "sk-secret");
  for (const SealedPlace& other :
       {SealedPlace{"api_keys", 8, "key_sealed"}, SealedPlace{"api_keys", 7, "other"},
        SealedPlace{"model_endpoints", 7, "key_sealed"},
        SealedPlace{"api_keys7", 7, "key_sealed"}}) {
    const auto opened = sealer_.open(other, sealed);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, ErrorCode::internal);
    EXPECT_NE(opened.error().detail.find("moved"), std::string::npos);
  }
}

TEST_F(Sealing, AnotherKeyIsNamedAsTheReason) {
  const Sealer other(SecretKey::generate(random_), random_);
  const auto opened = other.open(kPlace, sealer_.seal(kPlace, "x"));
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().detail, "sealed with another encryption key");
}

TEST_F(Sealing, NoncesDoNotRepeat) {
  std::set<std::string> nonces;
  for (int i = 0; i < 20'000; ++i) nonces.insert(sealer_.seal(kPlace, "").substr(5, 12));
  EXPECT_EQ(nonces.size(), 20'000u);
}

class KeyFile : public ::testing::Test {
 protected:
  KeyFile() {
    std::string pattern = std::filesystem::temp_directory_path() / "deeppool_key_XXXXXX";
    folder_ = mkdtemp(pattern.data());
    path_ = folder_ + "/encryption.key";
  }
  ~KeyFile() override { std::filesystem::remove_all(folder_); }
  void put(std::string_view text, mode_t mode) {
    std::ofstream(path_) << text;
    chmod(path_.c_str(), mode);
  }
  base::SystemRandom random_;
  std::string folder_;
  std::string path_;
};

TEST_F(KeyFile, IsMadeOnceAndKept) {
  const auto made = load_or_create_key(path_, random_);
  ASSERT_TRUE(made.ok()) << made.error().message;
  struct stat status{};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(load_or_create_key(path_, random_)->hex(), made->hex());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(KeyFile, WrongFilesAreRefusedAndKept) {
  const std::string good(64, 'a');
  const struct {
    std::string text;
    mode_t mode;
    const char* reason;
  } kCases[] = {{"", 0600, "64 hex digits"},
                {good.substr(1), 0600, "64 hex digits"},
                {good + "a", 0600, "64 hex digits"},
                {std::string(63, 'a') + "g", 0600, "64 hex digits"},
                {good, 0644, "chmod 600"}};
  for (const auto& c : kCases) {
    put(c.text, c.mode);
    const auto key = load_or_create_key(path_, random_);
    ASSERT_FALSE(key.ok()) << c.text;
    EXPECT_EQ(key.error().code, ErrorCode::unavailable);
    EXPECT_NE(key.error().message.find(c.reason), std::string::npos) << key.error().message;
    EXPECT_EQ(key.error().message.find("aaaa"), std::string::npos);
  }
}

TEST_F(KeyFile, MissingFolderIsAnError) {
  const auto key = load_or_create_key(folder_ + "/none/key", random_);
  ASSERT_FALSE(key.ok());
  EXPECT_EQ(key.error().code, ErrorCode::unavailable);
}

constexpr BcryptCost kFast{4};

TEST(Password,
     KnownHashesVerify) {  // from the test tables of OpenBSD's bcrypt and of crypt_blowfish
  EXPECT_TRUE(
      verify_password("U*U", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
  EXPECT_FALSE(
      verify_password("U*V", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
}

TEST(Password, HashIsSaltedAndVerifies) {
  base::SystemRandom random;
  const auto a = hash_password("correct horse", random, kFast);
  const auto b = hash_password("correct horse", random, kFast);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_NE(*a, *b);
  EXPECT_TRUE(a->starts_with("$2b$04$"));
  EXPECT_TRUE(verify_password("correct horse", *a));
  EXPECT_FALSE(verify_password("correct hors", *a));
  EXPECT_FALSE(verify_password("", *a));
}

TEST(Password, DefaultCostIs12) {
  base::SystemRandom random;
  EXPECT_TRUE(hash_password("x", random)->starts_with("$2b$12$"));
}

TEST(Password, WhatBcryptWouldCutIsRefused) {
  base::SystemRandom random;
  const std::string longest(72, 'p');
  const auto hash = hash_password(longest, random, kFast);
  ASSERT_TRUE(hash.ok());
  EXPECT_TRUE(verify_password(longest, *hash));
  EXPECT_FALSE(verify_password(longest + "q", *hash));
  EXPECT_FALSE(verify_password(std::string("a\0b", 3), *hash));
  const struct {
    std::string password;
    const char* reason;
  } kCases[] = {{"", "empty"}, {longest + "p", "72 bytes"}, {std::string("a\0b", 3), "NUL"}};
  for (const auto& c : kCases) {
    const auto refused = hash_password(c.password, random, kFast);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_request);
    EXPECT_EQ(refused.error().param, "password");
    EXPECT_NE(refused.error().message.find(c.reason), std::string::npos);
  }
}

TEST(Password, UnknownUsersCostAsMuchWork) {
  // Work, not time: the stand-in must be a setting that bcrypt accepts, else it would return at
  // once.
  EXPECT_FALSE(verify_password("anything", std::nullopt, kFast));
  const auto cpu = [](auto&& f) {
    const clock_t start = clock();
    f();
    return clock() - start;
  };
  base::SystemRandom random;
  const auto hash = hash_password("right", random, BcryptCost{9});
  const clock_t known = cpu([&] { EXPECT_FALSE(verify_password("wrong", *hash, BcryptCost{9})); });
  const clock_t unknown =
      cpu([&] { EXPECT_FALSE(verify_password("wrong", std::nullopt, BcryptCost{9})); });
  EXPECT_GT(unknown, known / 3);
  EXPECT_LT(unknown, known * 3);
}

TEST(Password, BrokenHashesNeverVerify) {
  for (const char* hash : {"", "x", "$2b$04$", "$1$abc$def", "*0"})
    EXPECT_FALSE(verify_password("a", hash));
}

}  // namespace
}  // namespace deeppool::crypto
