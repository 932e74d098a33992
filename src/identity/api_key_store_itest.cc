#include <gtest/gtest.h>

#include "identity/api_key_store.h"
#include "identity/key_directory.h"
#include "identity/limits.h"
#include "identity/tokens.h"
#include "sql/transaction.h"
#include "testing/databases.h"

namespace deeppool::identity {
namespace {

constexpr int64_t kNow = 1'800'000'000'000;
constexpr base::UserId kAda{1};
constexpr base::UserId kBob{2};

class ApiKeyStore : public testing::DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (IsSkipped()) return;
    for (const char* name : {"ada", "bob"}) {
      const auto done = database().write()->execute(
          "INSERT INTO users (username, password_hash, created_at, updated_at) VALUES (?, 'x', 0, "
          "0)",
          name);
      ASSERT_TRUE(done.ok()) << done.error().detail;
    }
  }
  Result<base::ApiKeyId> create(const ApiKey& key, std::string_view secret) {
    return sql::run_transaction(database(), [&](sql::Writer& tx) {
      return api_keys::create(tx, {key, secret, sealer_, kNow});
    });
  }
  static ApiKey of(base::UserId owner, std::string name) {
    ApiKey key;
    key.owner = owner;
    key.name = std::move(name);
    return key;
  }

  base::SystemRandom random_;
  crypto::Sealer sealer_{crypto::SecretKey::generate(random_), random_};
};
DEEPPOOL_EACH_DATABASE(ApiKeyStore);

TEST_P(ApiKeyStore, SnapshotHoldsWhatWasStored) {
  ApiKey key = of(kAda, "laptop");
  key.rate_limit_rpm = 60;
  key.rate_limit_tpm = 100'000;
  key.quota_total = 5;
  key.allowed_models = {"z", "a"};
  key.expires_at_ms = kNow + 1;
  const auto id = create(key, "dp-one");
  ASSERT_TRUE(id.ok()) << id.error().detail;
  ASSERT_TRUE(create(of(kBob, "all"), "dp-two").ok());
  ASSERT_TRUE(database().write()->execute("UPDATE users SET enabled = 0 WHERE id = ?", kBob).ok());

  KeyDirectory directory;
  EXPECT_EQ(directory.current()->size(), 0u);
  ASSERT_TRUE(directory.reload(database()).ok());
  const auto keys = directory.current();
  EXPECT_EQ(keys->size(), 2u);
  const ApiKey* found = keys->find("dp-one");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->id, *id);
  EXPECT_EQ(found->owner, kAda);
  EXPECT_EQ(found->name, "laptop");
  EXPECT_EQ(found->rate_limit_rpm, 60);
  EXPECT_EQ(found->rate_limit_tpm, 100'000);
  EXPECT_EQ(found->quota_total, 5);
  EXPECT_EQ(found->quota_used, 0);
  EXPECT_EQ(found->expires_at_ms, kNow + 1);
  EXPECT_EQ(found->allowed_models, (std::vector<std::string>{"a", "z"}));
  EXPECT_TRUE(found->owner_enabled);
  ASSERT_NE(keys->find("dp-two"), nullptr);
  EXPECT_FALSE(keys->find("dp-two")->owner_enabled);
  EXPECT_EQ(keys->find("dp-two")->expires_at_ms, std::nullopt);

  {
    auto writer = *database().write();
    ASSERT_TRUE(api_keys::remove(writer, kAda, *id).ok());
  }
  ASSERT_TRUE(directory.reload(database()).ok());
  EXPECT_EQ(directory.current()->find("dp-one"), nullptr);
  EXPECT_NE(keys->find("dp-one"), nullptr);  // whoever holds the old one may go on reading it
}

TEST_P(ApiKeyStore, OwnerSeesTheKeyAgainAndTheTableDoesNotHoldIt) {
  const auto id = create(of(kAda, "k"), "dp-secret-secret");
  auto reader = *database().read();
  EXPECT_EQ(*api_keys::reveal(reader, sealer_, kAda, *id), "dp-secret-secret");
  const auto sealed =
      reader.query_value<std::string>("SELECT key_sealed FROM api_keys WHERE id = ?", *id);
  EXPECT_EQ(sealed->find("secret"), std::string::npos);
  EXPECT_EQ(api_keys::get(reader, kAda, *id)->prefix, "dp-secret-");
}

TEST_P(ApiKeyStore, WhatIsInUseBeyondANewQuotaCountsAsDebt) {
  ApiKey key = of(kAda, "laptop");
  key.id = *create(key, "dp-one");
  ASSERT_TRUE(
      database().write()->execute("UPDATE api_keys SET quota_used = 70, quota_leased = 50"));
  for (const auto& [total, debt] : {std::pair{120, 0}, {100, 20}, {100, 20}, {40, 80}, {-1, 0}}) {
    key.quota_total = total;
    const auto done = sql::run_transaction(database(), [&](sql::Writer& tx) -> Result<void> {
      return api_keys::update(tx, key, kNow);
    });
    ASSERT_TRUE(done) << done.error().detail;
    auto reader = database().read();
    EXPECT_EQ(*reader->query_value<int64_t>("SELECT quota_exceeded FROM api_keys"), debt);
    EXPECT_EQ(*reader->query_value<int64_t>("SELECT quota_total FROM api_keys"), total);
  }
}

TEST_P(ApiKeyStore, AnothersKeyLooksMissing) {
  const auto id = create(of(kAda, "k"), "dp-1");
  auto writer = *database().write();
  const base::ApiKeyId nobodys{id->value + 1000};
  ApiKey mine = of(kBob, "stolen");
  mine.id = *id;
  ApiKey missing = of(kBob, "stolen");
  missing.id = nobodys;
  const auto same = [](const Error& a, const Error& b) {
    return a.code == ErrorCode::not_found && a.code == b.code && a.message == b.message;
  };
  EXPECT_TRUE(
      same(api_keys::get(writer, kBob, *id).error(), api_keys::get(writer, kBob, nobodys).error()));
  EXPECT_TRUE(same(api_keys::reveal(writer, sealer_, kBob, *id).error(),
                   api_keys::reveal(writer, sealer_, kBob, nobodys).error()));
  EXPECT_TRUE(same(api_keys::remove(writer, kBob, *id).error(),
                   api_keys::remove(writer, kBob, nobodys).error()));
  EXPECT_TRUE(same(api_keys::update(writer, mine, kNow).error(),
                   api_keys::update(writer, missing, kNow).error()));
  EXPECT_EQ(api_keys::get(writer, kAda, *id)->key.name, "k");
}

TEST_P(ApiKeyStore, SearchPagesNewestFirst) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(create(of(kAda, "key " + std::to_string(i)), "dp-" + std::to_string(i)).ok());
  }
  ASSERT_TRUE(create(of(kBob, "key of bob"), "dp-bob").ok());
  auto reader = *database().read();
  const auto page = api_keys::search(reader, kAda, {.keyword = "KEY", .limit = 2, .offset = 2});
  ASSERT_TRUE(page.ok()) << page.error().detail;
  EXPECT_EQ(page->total, 5);
  ASSERT_EQ(page->keys.size(), 2u);
  EXPECT_EQ(page->keys[0].key.name, "key 2");
  EXPECT_EQ(api_keys::search(reader, kAda, {.keyword = "%"})->total, 0);
}

TEST_P(ApiKeyStore, KeysPerUserAreBounded) {
  for (int64_t i = 0; i < kMaxKeysPerUser; ++i) {
    ASSERT_TRUE(create(of(kAda, "k"), "dp-" + std::to_string(i)).ok());
  }
  const auto refused = create(of(kAda, "k"), "dp-more");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_TRUE(create(of(kBob, "k"), "dp-more").ok());
}

}  // namespace
}  // namespace deeppool::identity
