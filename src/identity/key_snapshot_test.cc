#include "identity/key_snapshot.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "identity/tokens.h"

namespace deeppool::identity {
namespace {

constexpr int64_t kNow = 1'800'000'000'000;

KeySnapshot::Entry entry(std::string_view secret, ApiKey key = {}) {
  return {crypto::sha256(secret), std::move(key)};
}

TEST(KeySnapshot, FindsEveryKeyAndNoOther) {
  base::SeededRandom random(7);
  std::vector<std::string> secrets;
  std::vector<KeySnapshot::Entry> entries;
  for (int64_t i = 1; i <= 5000; ++i) {
    secrets.push_back(make_token(kApiKeyMark, random));
    ApiKey key;
    key.id = base::ApiKeyId{i};
    entries.push_back(entry(secrets.back(), std::move(key)));
  }
  const KeySnapshot keys(std::move(entries));
  EXPECT_EQ(keys.size(), 5000u);
  for (size_t i = 0; i < secrets.size(); ++i) {
    const ApiKey* found = keys.find(secrets[i]);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->id.value, static_cast<int64_t>(i + 1));
    EXPECT_EQ(keys.find(secrets[i].substr(0, secrets[i].size() - 1)), nullptr);
    EXPECT_EQ(keys.find(secrets[i] + "x"), nullptr);
  }
}

TEST(KeySnapshot, EmptyOneFindsNothing) {
  EXPECT_EQ(KeySnapshot().find(""), nullptr);
  EXPECT_EQ(KeySnapshot().find("dp-x"), nullptr);
}

TEST(KeySnapshot, KeysWithALongCommonPrefixStayApart) {
  const std::string prefix(64, 'a');
  std::vector<KeySnapshot::Entry> entries;
  entries.push_back(entry(prefix + "1"));
  const KeySnapshot keys(std::move(entries));
  EXPECT_NE(keys.find(prefix + "1"), nullptr);
  EXPECT_EQ(keys.find(prefix + "2"), nullptr);
  EXPECT_EQ(keys.find(prefix), nullptr);
}

// The stored hash is no password (pass-the-hash).
TEST(KeySnapshot, HashIsNotAccepted) {
  const crypto::Digest hash = crypto::sha256("dp-secret");
  std::vector<KeySnapshot::Entry> entries;
  entries.push_back(entry("dp-secret"));
  const KeySnapshot keys(std::move(entries));
  EXPECT_EQ(keys.find(crypto::bytes_of(hash)), nullptr);
}

TEST(ApiKey, AllowedModels) {
  ApiKey key;
  EXPECT_TRUE(key.may_use("anything"));
  key.allowed_models = {"a", "c"};
  EXPECT_TRUE(key.may_use("a"));
  EXPECT_TRUE(key.may_use("c"));
  EXPECT_FALSE(key.may_use("b"));
  EXPECT_FALSE(key.may_use(""));
}

struct IdentifyCase {
  const char* name;
  std::optional<std::string_view> authorization;
  std::optional<std::string_view> x_api_key;
  std::optional<ErrorCode> error;
  const char* says = "";
};

class Identify : public ::testing::TestWithParam<IdentifyCase> {
 protected:
  static KeySnapshot keys() {
    ApiKey disabled;
    disabled.enabled = false;
    ApiKey owner_disabled;
    owner_disabled.owner_enabled = false;
    ApiKey expired;
    expired.expires_at_ms = kNow;
    ApiKey expires_soon;
    expires_soon.expires_at_ms = kNow + 1;
    return KeySnapshot({entry("dp-good"), entry("dp-disabled", disabled),
                        entry("dp-owner-disabled", owner_disabled), entry("dp-expired", expired),
                        entry("dp-expires-soon", expires_soon)});
  }
};

TEST_P(Identify, AnswersAsTheTableSays) {
  const IdentifyCase& c = GetParam();
  const KeySnapshot snapshot = keys();
  crypto::HashMemo memo;
  const auto key = identify(snapshot, c.authorization, c.x_api_key, kNow, memo);
  EXPECT_EQ(key.ok(), !c.error);
  if (!c.error || key.ok()) return;
  EXPECT_EQ(key.error().code, *c.error);
  EXPECT_NE(key.error().message.find(c.says), std::string::npos) << key.error().message;
  for (const auto& secret : {c.authorization, c.x_api_key}) {
    if (!secret || secret->size() < 12) continue;
    EXPECT_EQ(key.error().message.find(secret->substr(7)), std::string::npos);
    EXPECT_EQ(key.error().detail.find(secret->substr(7)), std::string::npos);
  }
}

constexpr auto kUnknown = ErrorCode::unauthenticated;
constexpr auto kRefused = ErrorCode::permission_denied;
INSTANTIATE_TEST_SUITE_P(
    Cases, Identify,
    ::testing::Values(IdentifyCase{"bearer", "Bearer dp-good", {}, {}},
                      IdentifyCase{"scheme_case", "bEARER  dp-good ", {}, {}},
                      IdentifyCase{"x_api_key", {}, "dp-good", {}},
                      IdentifyCase{"bearer_wins", "Bearer dp-good", "dp-unknown", {}},
                      IdentifyCase{"bearer_wins_even_wrong", "Bearer dp-unknown", "dp-good",
                                   kUnknown},
                      IdentifyCase{"nothing", {}, {}, kUnknown, "No API key"},
                      IdentifyCase{"empty", "Bearer ", {}, kUnknown, "No API key"},
                      IdentifyCase{"other_scheme", "Basic dp-good", {}, kUnknown, "Bearer"},
                      IdentifyCase{"unknown", "Bearer dp-no-such-key", {}, kUnknown, "not known"},
                      IdentifyCase{"disabled", "Bearer dp-disabled", {}, kRefused, "disabled"},
                      IdentifyCase{"owner", "Bearer dp-owner-disabled", {}, kRefused, "account"},
                      IdentifyCase{"expired", "Bearer dp-expired", {}, kRefused, "expired"},
                      IdentifyCase{"expires_soon", "Bearer dp-expires-soon", {}, {}}),
    [](const auto& test) { return test.param.name; });

TEST(Tokens, LookAsDocumentedAndDiffer) {
  base::SeededRandom random(1);
  const std::string key = make_token(kApiKeyMark, random);
  EXPECT_EQ(key.size(), 3u + 43u);
  EXPECT_TRUE(key.starts_with("dp-"));
  EXPECT_NE(make_token(kApiKeyMark, random), key);
  EXPECT_EQ(make_token(kSessionMark, random).size(), 4u + 43u);
  EXPECT_EQ(make_password(random).size(), 20u);
}

}  // namespace
}  // namespace deeppool::identity
