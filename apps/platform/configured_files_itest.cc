// What --check-config says of files, which is what a start would say of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "apps/platform/configured_files.h"
#include "testing/certificate.h"

namespace deeppool::platform {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class ConfiguredFilesTest : public ::testing::Test {
 protected:
  ConfiguredFilesTest() {
    std::string folder = ::testing::TempDir() + "deeppool_files_XXXXXX";
    folder_ = mkdtemp(folder.data());
  }
  ~ConfiguredFilesTest() override { std::filesystem::remove_all(folder_); }
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }
  static std::string refusal(const std::string& yaml) {
    const auto config = parse_config(yaml, "c.yaml", {});
    if (!config) return "not even read: " + config.error().message;
    const auto files = load_files(*config);
    return files ? "" : files.error().message + " " + files.error().detail;
  }

  std::string folder_;
  const testing::SelfSignedCertificate certificate_;
};

TEST_F(ConfiguredFilesTest, EachIsNamedWithItsPlace) {
  const std::string text = file("text", "no PEM\n");
  const std::string cert = certificate_.certificate_file();
  const struct {
    std::string yaml;
    const char* place;
    std::string what;
  } rows[] = {
      {"\nserver: {tls: {enabled: true, cert_file: /none, key_file: /none}}",
       "c.yaml:2: server.tls.cert_file: ", "/none"},
      {"server: {tls: {enabled: true, cert_file: " + cert + ", key_file: " + text + "}}",
       "c.yaml:1: server.tls.key_file: ", text},
      {"redis:\n  url: rediss://h\n  ca_file: " + text, "c.yaml:3: redis.ca_file: ", text},
      {"mysql:\n  tls: required\n  ca_file: " + folder_, "c.yaml:3: mysql.ca_file: ", folder_},
      {"admin: {default_hybrid_policy_path: /none}",
       "c.yaml:1: admin.default_hybrid_policy_path: ", "/none"},
      {"admin: {default_hybrid_policy_path: " + file("policy", "rules: 1") + "}",
       "c.yaml:1: admin.default_hybrid_policy_path: ", folder_ + "/policy: "},
      {"tokenizers_dir: " + folder_, "c.yaml:1: tokenizers_dir: ", folder_ + "/o200k_base.bin"},
  };
  for (const auto& row : rows) {
    const std::string said = refusal(row.yaml);
    EXPECT_THAT(said, StartsWith(row.place)) << row.yaml;
    EXPECT_THAT(said, HasSubstr(row.what)) << row.yaml;
  }
}

TEST_F(ConfiguredFilesTest, GoodOnesAreReadAndUnusedOnesAreNot) {
  const auto config =
      parse_config("server: {tls: {enabled: true, cert_file: " + certificate_.certificate_file() +
                       ", key_file: " + certificate_.key_file() +
                       "}}\nredis: {ca_file: /none}\nadmin: {default_hybrid_policy_path: " +
                       file("policy", "rules: [{name: a, targets: [any]}]") +
                       "}\ntokenizers_dir: " DEEPPOOL_SOURCE_DIR "/build/share/tokenizers\n",
                   "c.yaml", {});
  ASSERT_TRUE(config) << config.error().message;
  const auto files = load_files(*config);
  ASSERT_TRUE(files) << files.error().message << files.error().detail;
  EXPECT_NE(files->tls, nullptr);
  EXPECT_EQ(files->redis_tls, nullptr);
  EXPECT_EQ(files->default_policy, "rules: [{name: a, targets: [any]}]");
}

}  // namespace
}  // namespace deeppool::platform
