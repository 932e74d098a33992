#include <gtest/gtest.h>

#include "governance/pricing/snapshot_store.h"
#include "provider/catalog.h"
#include "provider/endpoint_store.h"
#include "provider/model_store.h"
#include "sql/transaction.h"
#include "testing/databases.h"

namespace deeppool::provider {
namespace {

constexpr int64_t kNow = 1'800'000'000'000;

class CatalogStore : public testing::DatabaseTest {
 protected:
  base::EndpointId add_endpoint(endpoints::StoredEndpoint e, std::string_view key = {}) {
    if (e.endpoint.empty()) e.endpoint = "https://api.example.com/v1";
    const auto id =
        sql::run_transaction(database(), [&](sql::Writer& tx) -> Result<base::EndpointId> {
          DP_TRY(const auto created, endpoints::create(tx, e, kNow));
          DP_CHECK(endpoints::set_key(tx, sealer_, created, key));
          return created;
        });
    EXPECT_TRUE(id.ok()) << id.error().detail;
    return id.value();
  }
  base::ModelId add_model(models::StoredModel m) {
    const auto id = sql::run_transaction(
        database(), [&](sql::Writer& tx) { return models::create(tx, m, kNow); });
    EXPECT_TRUE(id.ok()) << id.error().message << id.error().detail;
    return id.value();
  }
  static endpoints::StoredEndpoint named(std::string name) {
    endpoints::StoredEndpoint e;
    e.name = std::move(name);
    return e;
  }
  static models::StoredModel model(std::string name, std::vector<base::EndpointId> ids) {
    models::StoredModel m;
    m.model_name = std::move(name);
    m.endpoint_ids = std::move(ids);
    return m;
  }

  base::SystemRandom random_;
  crypto::Sealer sealer_{crypto::SecretKey::generate(random_), random_};
};
DEEPPOOL_EACH_DATABASE(CatalogStore);

TEST_P(CatalogStore, LoadsModelsWithTheirEndpoints) {
  auto first = named("first");
  first.upstream_model = "gpt-x-2026";
  auto preferred = named("preferred");
  preferred.priority = 5;
  preferred.endpoint = "http://[::1]:9000/base/";
  auto off = named("off");
  off.enabled = false;
  const auto a = add_endpoint(first, "sk-secret-1");
  const auto b = add_endpoint(preferred);
  const auto c = add_endpoint(off);
  auto gpt = model("gpt-x", {a, c, b});
  gpt.tags = {"chat", "qu\"ote"};
  gpt.supports_vision = true;
  gpt.max_context_length = 128'000;
  add_model(gpt);
  auto hidden = model("hidden", {a});
  hidden.enabled = false;
  add_model(hidden);
  auto top = model("a/top", {a});
  top.priority = 1;
  add_model(top);

  CatalogDirectory directory;
  ASSERT_EQ(directory.current()->models().size(), 0u);
  ASSERT_TRUE(directory.reload(database(), sealer_).ok());
  const auto catalog = directory.current();
  ASSERT_EQ(catalog->models().size(), 2u);
  EXPECT_EQ(catalog->models()[0]->name, "a/top");
  EXPECT_EQ(catalog->find("hidden"), nullptr);
  EXPECT_EQ(catalog->find("GPT-X"), nullptr);
  const Model* m = catalog->find("gpt-x");
  ASSERT_NE(m, nullptr);
  EXPECT_EQ(m->tags, gpt.tags);
  EXPECT_TRUE(m->supports_vision);
  EXPECT_EQ(m->max_context_length, 128'000);
  EXPECT_EQ(m->vendor_type, "provider");
  EXPECT_EQ(m->owned_by, "openai");
  EXPECT_EQ(m->created_ms, kNow);
  ASSERT_EQ(m->endpoints.size(), 2u);
  EXPECT_EQ(m->endpoints[0]->id, b);
  EXPECT_EQ(m->endpoints[0]->upstream_model, "gpt-x");  // it names none
  EXPECT_EQ(m->endpoints[0]->host, "::1");
  EXPECT_EQ(m->endpoints[0]->port, 9000);
  EXPECT_EQ(m->endpoints[0]->path_prefix, "/base");
  EXPECT_FALSE(m->endpoints[0]->tls);
  EXPECT_EQ(m->endpoints[0]->api_key, "");
  EXPECT_EQ(m->endpoints[1]->api_key, "sk-secret-1");
  EXPECT_EQ(m->endpoints[1]->upstream_model, "gpt-x-2026");
}

TEST_P(CatalogStore, LeavesOutEndpointsThatItCannotOpen) {
  const auto a = add_endpoint(named("a"), "sk-a");
  const auto b = add_endpoint(named("b"), "sk-b");
  const auto keyless = add_endpoint(named("c"));
  add_model(model("m", {a, b, keyless}));
  // A ciphertext moved to another row must not open there.
  auto writer = database().write();
  const auto moved = writer->query_value<std::string>(
      "SELECT api_key_sealed FROM model_endpoints WHERE id = ?", a);
  ASSERT_TRUE(writer
                  ->execute("UPDATE model_endpoints SET api_key_sealed = ? WHERE id = ?",
                            sql::Blob{*moved}, b)
                  .ok());
  CatalogDirectory directory;
  ASSERT_TRUE(directory.reload(database(), sealer_).ok());
  const auto catalog = directory.current();
  ASSERT_EQ(catalog->find("m")->endpoints.size(), 2u);
  EXPECT_EQ(catalog->find("m")->endpoints[0]->id, a);
  EXPECT_EQ(catalog->find("m")->endpoints[1]->id, keyless);
}

TEST_P(CatalogStore, OldCatalogsStayValid) {
  const auto a = add_endpoint(named("a"));
  const auto id = add_model(model("m", {a}));
  CatalogDirectory directory;
  ASSERT_TRUE(directory.reload(database(), sealer_).ok());
  const auto before = directory.current();
  {
    auto writer = *database().write();
    ASSERT_TRUE(models::remove(writer, id).ok());
  }
  ASSERT_TRUE(directory.reload(database(), sealer_).ok());
  EXPECT_EQ(directory.current()->find("m"), nullptr);
  EXPECT_GT(directory.current()->version(), before->version());
  EXPECT_EQ(before->find("m")->endpoints[0]->id, a);
}

// What a request may be charged by, and where it goes.
std::string told_by(const Catalog& catalog) {
  std::string all;
  for (const auto& m : catalog.models()) {
    all += m->name + " " + std::to_string(static_cast<int>(m->price.state)) + " " +
           std::to_string(m->price.snapshot.value) + (m->price.free() ? " free " : " ") +
           governance::price_tiers_json(m->price.tiers, governance::PriceSpelling::complete);
    for (const auto& e : m->endpoints) all += " " + e->name;
    all += "\n";
  }
  return all;
}

// However a catalog came about, by a hundred reloads or by one start, it is the same; and every
// price in it that requests can be charged by is kept.
TEST_P(CatalogStore, AReloadedCatalogEqualsAFreshOne) {
  const auto a = add_endpoint(named("a"));
  const auto b = add_endpoint(named("b"));
  std::vector<base::ModelId> ids;
  for (const char* name : {"m1", "m2", "m3"}) ids.push_back(add_model(model(name, {a})));
  const std::vector<std::string> prices = {
      "null",
      "[]",
      "[{}]",
      "not JSON",
      R"([{"input_price":"1","output_price":"2"}])",
      R"([{"input_price":"0","output_price":"0"}])",
      R"([{"max_input_tokens":5,"input_price":"1","output_price":"2"},
          {"input_price":"3","output_price":"4"}])"};
  base::SeededRandom dice(20);
  const auto below = [&](size_t n) { return dice.next_u64() % n; };
  CatalogDirectory reloaded;
  for (int round = 0; round < 100; ++round) {
    const size_t which = below(ids.size());
    auto changed = model("m" + std::to_string(which + 1), {below(2) == 0 ? a : b});
    changed.id = ids[which];
    changed.pricing_tiers = prices[below(prices.size())];
    changed.enabled = below(4) != 0;
    const auto update = [&](sql::Writer& tx) { return models::update(tx, changed, kNow + round); };
    ASSERT_TRUE(sql::run_transaction(database(), update).ok());
    ASSERT_TRUE(reloaded.reload(database(), sealer_).ok());
    CatalogDirectory fresh;
    ASSERT_TRUE(fresh.reload(database(), sealer_).ok());
    ASSERT_EQ(told_by(*reloaded.current()), told_by(*fresh.current())) << round;
    auto reader = *database().read();
    for (const auto& m : reloaded.current()->models()) {
      if (!m->price.known()) continue;
      const auto kept = governance::snapshots::load(reader, m->price.snapshot);
      ASSERT_TRUE(kept.ok()) << round << " " << m->name;
    }
  }
}

TEST_P(CatalogStore, HealthSurvivesReloadsUntilTheConnectionIsAnotherOne) {
  auto stored = named("a");
  const auto a = stored.id = add_endpoint(stored, "sk-1");
  add_model(model("m", {a}));
  add_model(model("n", {a}));
  CatalogDirectory directory;
  const auto health = [&] {
    EXPECT_TRUE(directory.reload(database(), sealer_).ok());
    return directory.current()->find("m")->endpoints.at(0)->health;
  };
  const auto change = [&](auto work) {
    EXPECT_TRUE(sql::run_transaction(database(), [&](sql::Writer& tx) -> Result<void> {
                  return work(tx);
                }).ok());
  };
  const auto update = [&](sql::Writer& tx) { return endpoints::update(tx, stored, kNow); };
  const auto first = health();
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(directory.current()->find("n")->endpoints.at(0)->health, first);
  EXPECT_EQ(directory.current()->find_endpoint(a)->health, first);
  EXPECT_EQ(directory.current()->find_endpoint(base::EndpointId{a.value + 1}), nullptr);
  stored.name = "renamed";
  stored.weight = 9;
  stored.endpoint = "https://api.example.com/v1";  // as add_endpoint() filled it in
  change(update);
  EXPECT_EQ(health(), first);
  change([&](sql::Writer& tx) { return endpoints::set_key(tx, sealer_, a, "sk-2"); });
  const auto second = health();
  EXPECT_NE(second, first);
  stored.endpoint = "https://elsewhere.example.com/v1";
  change(update);
  const auto third = health();
  EXPECT_NE(third, second);
  stored.enabled = false;
  change(update);
  ASSERT_TRUE(directory.reload(database(), sealer_).ok());
  stored.enabled = true;
  change(update);
  EXPECT_NE(health(), third);
}

TEST_P(CatalogStore, CarriesHowEndpointsAreSpokenToAndWhatIsHedged) {
  auto stored = named("a");
  stored.provider_type = "anthropic";
  stored.api_version = "2023-06-01";
  stored.prefix_continuation = true;
  stored.param_policy = "refuse";
  const auto a = add_endpoint(stored);
  const auto plain = add_endpoint(named("plain"));
  auto hedged = model("hedged", {a, plain});
  hedged.hedge_after_ms = 800;
  hedged.hedge_max_percent = 7;
  hedged.id = add_model(hedged);
  add_model(model("calm", {a}));
  CatalogDirectory directory;
  ASSERT_TRUE(directory.reload(database(), sealer_).ok());
  const auto catalog = directory.current();
  const Model* m = catalog->find("hedged");
  EXPECT_EQ(m->endpoints.at(0)->api_version, "2023-06-01");
  EXPECT_TRUE(m->endpoints.at(0)->prefix_continuation);
  EXPECT_EQ(m->endpoints.at(0)->param_policy, ParamPolicy::refuse);
  EXPECT_EQ(m->endpoints.at(1)->api_version, "");
  EXPECT_FALSE(m->endpoints.at(1)->prefix_continuation);
  EXPECT_EQ(m->endpoints.at(1)->param_policy, ParamPolicy::drop);
  EXPECT_EQ(m->hedging.after, std::chrono::milliseconds(800));
  EXPECT_EQ(m->hedging.budget->percent(), 7);
  EXPECT_EQ(catalog->find("calm")->hedging.budget, nullptr);
  ASSERT_TRUE(directory.reload(database(), sealer_).ok());
  EXPECT_EQ(directory.current()->find("hedged")->hedging.budget, m->hedging.budget);
  hedged.hedge_max_percent = 8;
  ASSERT_TRUE(sql::run_transaction(database(), [&](sql::Writer& tx) {
                return models::update(tx, hedged, kNow);
              }).ok());
  ASSERT_TRUE(directory.reload(database(), sealer_).ok());
  EXPECT_EQ(directory.current()->find("hedged")->hedging.budget->percent(), 8);
}

TEST_P(CatalogStore, EndpointInUseCannotBeRemoved) {
  const auto a = add_endpoint(named("a"));
  const auto m = add_model(model("m", {a}));
  auto writer = *database().write();
  const auto refused = endpoints::remove(writer, a);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_NE(refused.error().message.find("(m)"), std::string::npos);
  ASSERT_TRUE(models::remove(writer, m).ok());
  EXPECT_TRUE(endpoints::remove(writer, a).ok());
  EXPECT_EQ(endpoints::remove(writer, a).error().code, ErrorCode::not_found);
}

TEST_P(CatalogStore, BadLinksAndTakenNamesNameTheField) {
  const auto a = add_endpoint(named("a"));
  add_model(model("m", {a}));
  const auto create = [&](const models::StoredModel& m) {
    return sql::run_transaction(database(),
                                [&](sql::Writer& tx) { return models::create(tx, m, kNow); });
  };
  const auto missing = create(model("n", {a, base::EndpointId{99}}));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().param, "endpoint_ids");
  const auto taken = create(model("m", {a}));
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code, ErrorCode::conflict);
  EXPECT_EQ(taken.error().param, "model_name");
  auto reader = *database().read();
  EXPECT_EQ(models::count(reader)->total, 1);  // nothing half-stored
}

TEST_P(CatalogStore, SearchTakesKeywordsLiterally) {
  const auto a = add_endpoint(named("50%_off"));
  add_endpoint(named("50 percent"));
  add_model(model("gpt-4_turbo", {a}));
  add_model(model("gpt-4-turbo", {a}));
  auto reader = *database().read();
  const auto names = [&](std::string keyword) {
    models::Search wanted;
    wanted.keyword = std::move(keyword);
    std::vector<std::string> out;
    const auto found = models::search(reader, wanted);
    EXPECT_TRUE(found.ok()) << found.error().detail;
    for (const auto& m : found->models) out.push_back(m.model_name);
    return out;
  };
  EXPECT_EQ(names("4_T"), std::vector<std::string>{"gpt-4_turbo"});
  EXPECT_EQ(names("%%%%"), std::vector<std::string>{});
  EXPECT_EQ(names("").size(), 2u);
  endpoints::Search wanted;
  wanted.keyword = "0%_";
  const auto found = endpoints::search(reader, wanted);
  ASSERT_TRUE(found.ok()) << found.error().detail;
  EXPECT_EQ(found->total, 1);
  wanted.family = "none";
  EXPECT_EQ(endpoints::search(reader, wanted)->total, 0);
}

}  // namespace
}  // namespace deeppool::provider
