// How soon a change is in force: at once where it was made, within a second in another process.
#include <gtest/gtest.h>

#include <thread>

#include "identity/api_key_store.h"
#include "identity/tokens.h"
#include "sql/transaction.h"
#include "tests/api/rig.h"

namespace deeppool::api_contract {
namespace {

// Another process's view: its own connections, snapshots and polling loop.
class Observer {
 public:
  Observer(sql::Database& database, const crypto::Sealer& sealer)
      : funds_(database, base::RequestId{}, clock_),
        refresh_({database, sealer, keys_, catalog_, router_, funds_}) {
    EXPECT_TRUE(refresh_.refresh().ok());
    loop_.post([this] { tasks_.spawn(refresh_.run(pool_, scope_)); });
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Observer() {
    loop_.post([this] {
      scope_.cancel(async::CancelReason::shutting_down);
      tasks_.spawn([this]() -> Task<void> {
        co_await async::sleep_for(std::chrono::milliseconds(1), own_);
        loop_.stop();
      });
    });
    thread_.join();
  }
  const identity::KeyDirectory& keys() const { return keys_; }
  const provider::CatalogDirectory& catalog() const { return catalog_; }

 private:
  identity::KeyDirectory keys_;
  provider::CatalogDirectory catalog_;
  routing::Router router_;
  base::SystemClock clock_;
  governance::Funds funds_;
  jobs::ConfigRefresh refresh_;
  async::Loop loop_;
  async::CancelScope scope_, own_;
  async::TaskGroup tasks_{loop_};
  async::BlockingPool pool_{"observer", 1, 4};
  std::thread thread_;
};

template <class Condition>
std::chrono::milliseconds time_until(Condition condition) {
  const auto start = std::chrono::steady_clock::now();
  while (!condition()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    if (std::chrono::steady_clock::now() - start > std::chrono::seconds(10)) break;
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               start);
}

class Refresh : public ApiTest {};
DEEPPOOL_EACH_DATABASE(Refresh);

TEST_P(Refresh, AnotherProcessFollowsWithinASecond) {
  auto theirs = temporary().open_again();
  Observer observer(theirs ? *theirs : database(), rig().sealer());
  const Person ada = rig().add_person("ada");
  const Reply made = rig().call("POST", "/api/v1/apikeys", ada.token, R"({"name":"k"})");
  const std::string secret(made.data().at("full_key").as_string());
  const std::string path = "/api/v1/apikeys/" + id_of(made);
  const auto enabled = [&]() -> std::optional<bool> {
    const auto keys = observer.keys().current();  // what find() returns lives as long as this
    const auto* key = keys->find(secret);
    return key == nullptr ? std::nullopt : std::optional(key->enabled);
  };
  EXPECT_LT(time_until([&] { return enabled() == true; }), std::chrono::seconds(1));
  ASSERT_EQ(rig().call("PATCH", path, ada.token, R"({"enabled":false})").status, 200);
  EXPECT_LT(time_until([&] { return enabled() == false; }), std::chrono::seconds(1));
  ASSERT_EQ(rig().call("DELETE", path, ada.token).status, 200);
  EXPECT_LT(time_until([&] { return !enabled(); }), std::chrono::seconds(1));
}

TEST_P(Refresh, LastGoodStateStaysWhenTheTablesCannotBeRead) {
  const Person ada = rig().add_person("ada");
  const Reply made = rig().call("POST", "/api/v1/apikeys", ada.token, R"({"name":"k"})");
  const std::string secret(made.data().at("full_key").as_string());
  auto writer = *database().write();
  // Not a list of names: the whole reload is refused.
  ASSERT_TRUE(writer.execute("UPDATE api_keys SET allowed_models = '{'").ok());
  ASSERT_TRUE(writer.execute("UPDATE config_version SET version = version + 1").ok());
  identity::KeyDirectory& keys = rig().keys();
  EXPECT_FALSE(keys.reload(database()).ok());
  EXPECT_NE(keys.current()->find(secret), nullptr);
  ASSERT_TRUE(writer.execute("UPDATE api_keys SET allowed_models = '[]'").ok());
  EXPECT_TRUE(keys.reload(database()).ok());
}

TEST_P(Refresh, HundredThousandKeysLoadInTime) {
  const Person ada = rig().add_person("ada");
  constexpr int kKeys = 100'000;
  std::vector<std::tuple<base::UserId, std::string, crypto::Digest, std::string, sql::Blob,
                         std::string, int64_t, int64_t>>
      rows;
  for (int i = 0; i < kKeys; ++i) {
    rows.emplace_back(ada.id, "key", crypto::sha256("dp-" + std::to_string(i)), "dp-",
                      sql::Blob{"x"}, "[]", 0, 0);
  }
  ASSERT_TRUE(sql::run_transaction(database(), [&](sql::Writer& tx) {
                return tx.insert_rows(
                    "INSERT INTO api_keys (user_id, name, key_hash, key_prefix, key_sealed, "
                    "allowed_models, created_at, updated_at) {rows}",
                    std::span(std::as_const(rows)));
              }).ok());
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(rig().keys().reload(database()).ok());
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(rig().keys().current()->size(), static_cast<size_t>(kKeys));
  EXPECT_NE(rig().keys().current()->find("dp-99999"), nullptr);
  RecordProperty(
      "milliseconds",
      static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
  EXPECT_LT(took, std::chrono::seconds(5));  // unoptimised builds and sanitizers included
}

}  // namespace
}  // namespace deeppool::api_contract
