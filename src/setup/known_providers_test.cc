#include "setup/known_providers.h"

#include <gtest/gtest.h>

#include <set>

#include "governance/pricing/price_tiers.h"
#include "provider/base_url.h"

namespace deeppool::setup {
namespace {

bool is_date(std::string_view text) {
  const bool month = text.size() == 7 || (text.size() == 10 && text[7] == '-');
  return month && text.starts_with("20") && text[4] == '-';
}

// Every price can be read as a price list, in its currency.
void check_prices(const KnownModel& model) {
  EXPECT_EQ(model.prices.empty(), model.currency.empty()) << model.id;
  std::string tiers;
  for (const PublishedPrice& price : model.prices) {
    tiers += tiers.empty() ? "[{" : ",{";
    tiers += "\"max_input_tokens\":" + std::to_string(price.max_input_tokens);
    const std::pair<const char*, std::string_view> fields[] = {
        {"input_price", price.input},
        {"output_price", price.output},
        {"cached_price", price.cached},
        {"cache_write_price", price.cache_write}};
    for (const auto& [name, value] : fields) {
      if (!value.empty()) tiers += ",\"" + std::string(name) + "\":\"" + std::string(value) + "\"";
    }
    tiers += "}";
  }
  if (!tiers.empty()) {
    const auto read = governance::read_price_tiers(tiers + "]", "prices");
    EXPECT_TRUE(read.ok()) << model.id << ": " << (read.ok() ? "" : read.error().message);
  }
}

TEST(KnownProviders, EveryRowIsDatedSourcedAndUsable) {
  std::set<std::string_view> ids;
  for (const KnownProvider& provider : known_providers()) {
    EXPECT_TRUE(ids.insert(provider.id).second) << provider.id;
    EXPECT_TRUE(is_date(provider.as_of)) << provider.id;
    EXPECT_FALSE(provider.source.empty()) << provider.id;
    const auto url = provider::parse_base_url(provider.base_url);
    ASSERT_TRUE(url.ok()) << provider.id;
    EXPECT_EQ(url->tls, provider.needs_key) << "a key goes over TLS only: " << provider.id;
    std::set<std::string_view> models;
    for (const KnownModel& model : provider.models) {
      EXPECT_TRUE(models.insert(model.id).second) << model.id;
      EXPECT_TRUE(is_date(model.as_of)) << model.id;
      EXPECT_FALSE(model.source.empty()) << model.id;
      check_prices(model);
    }
  }
}

}  // namespace
}  // namespace deeppool::setup
