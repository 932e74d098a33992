#include "governance/pricing/price_tiers.h"

#include <gtest/gtest.h>

#include "governance/limits.h"

namespace deeppool::governance {
namespace {

using base::Money;

TEST(PriceTiers, ReadsNumbersAndTextDigitByDigit) {
  const auto tiers = read_price_tiers(
      R"([{"max_input_tokens":128000,"input_price":0.1,"output_price":"2.0000000001"},
          {"input_price":3e-1,"output_price":4,"cached_price":0,"cache_write_price":"0.375",
           "audio_input_price":9}])",
      "pricing_tiers");
  ASSERT_TRUE(tiers.ok()) << tiers.error().message;
  ASSERT_EQ(tiers->size(), 2U);
  const PriceTier& first = tiers->front();
  EXPECT_EQ(first.max_input_tokens, 128000);
  EXPECT_EQ(first.price(TokenClass::input), Money::units(1'000'000'000));
  EXPECT_EQ(first.price(TokenClass::output), Money::units(20'000'000'001));
  EXPECT_EQ(first.price(TokenClass::cached), Money::units(200'000'000));  // a fifth
  EXPECT_EQ(first.price(TokenClass::cache_write), first.price(TokenClass::input));
  EXPECT_EQ(first.price(TokenClass::image_input), first.price(TokenClass::input));
  EXPECT_EQ(first.price(TokenClass::audio_output), first.price(TokenClass::output));
  const PriceTier& second = tiers->back();
  EXPECT_EQ(second.max_input_tokens, 0);
  EXPECT_EQ(second.price(TokenClass::cached), Money());  // stated, so not derived
  EXPECT_EQ(second.price(TokenClass::cache_write), Money::parse("0.375"));
  EXPECT_EQ(second.price(TokenClass::audio_input), Money::parse("9"));
}

TEST(PriceTiers, ADerivedCachedPriceIsRoundedHalfUp) {
  const auto tiers =
      read_price_tiers(R"([{"input_price":"0.0000000013","output_price":0}])", "pricing_tiers");
  ASSERT_TRUE(tiers.ok());
  EXPECT_EQ(tiers->front().price(TokenClass::cached), Money::units(3));  // 2.6
}

struct Refused {
  const char* json;
  const char* param;
  const char* says;
};

TEST(PriceTiers, RefusesTheRestAndNamesTheField) {
  const Refused cases[] = {
      {"{}", "pricing_tiers", "a list"},
      {"7", "pricing_tiers", "a list"},
      {"", "pricing_tiers", "a list"},
      {"[", "pricing_tiers", "must be"},
      {"[] x", "pricing_tiers", "valid JSON"},
      {"[7]", "pricing_tiers[0]", "an object"},
      {R"([{"input_price":1}])", "pricing_tiers[0].output_price", "is required"},
      {R"([{"output_price":1}])", "pricing_tiers[0].input_price", "is required"},
      {R"([{"input_price":1,"output_price":1,"price":2}])", "pricing_tiers[0]", "do not have"},
      {R"([{"input_price":1,"output_price":1,"input_price":2}])", "pricing_tiers[0].input_price",
       "twice"},
      {R"([{"input_price":-1,"output_price":1}])", "pricing_tiers[0].input_price", "from 0"},
      {R"([{"input_price":1,"output_price":"1,5"}])", "pricing_tiers[0].output_price", "yuan"},
      {R"([{"input_price":1,"output_price":null}])", "pricing_tiers[0].output_price", "yuan"},
      {R"([{"input_price":1,"output_price":"NaN"}])", "pricing_tiers[0].output_price", "yuan"},
      {R"([{"input_price":1e300,"output_price":1}])", "pricing_tiers[0].input_price", "yuan"},
      {R"([{"input_price":100000.0000000001,"output_price":1}])", "pricing_tiers[0].input_price",
       "to 100000"},
      {R"([{"input_price":0.00000000001,"output_price":1}])", "pricing_tiers[0].input_price",
       "10 decimals"},
      {R"([{"input_price":1,"output_price":1},{"input_price":1,"output_price":1}])",
       "pricing_tiers[1].max_input_tokens", "only the last"},
      {R"([{"input_price":1,"output_price":1,"max_input_tokens":5},
           {"input_price":1,"output_price":1,"max_input_tokens":5}])",
       "pricing_tiers[1].max_input_tokens", "above"},
      {R"([{"input_price":1,"output_price":1,"max_input_tokens":-1}])",
       "pricing_tiers[0].max_input_tokens", "an integer"},
      {R"([{"input_price":1,"output_price":1,"max_input_tokens":1.5}])",
       "pricing_tiers[0].max_input_tokens", "an integer"},
  };
  for (const Refused& c : cases) {
    const auto tiers = read_price_tiers(c.json, "pricing_tiers");
    ASSERT_FALSE(tiers.ok()) << c.json;
    EXPECT_EQ(tiers.error().code, ErrorCode::invalid_request);
    EXPECT_EQ(tiers.error().param, c.param) << c.json;
    EXPECT_NE(tiers.error().message.find(c.says), std::string::npos) << tiers.error().message;
  }
}

TEST(PriceTiers, HasABoundOfTiersAndBytes) {
  std::string json = "[";
  for (size_t i = 1; i <= kMaxPriceTiers + 1; ++i) {
    json += R"({"input_price":1,"output_price":1,"max_input_tokens":)" + std::to_string(i) + "},";
  }
  json.back() = ']';
  EXPECT_FALSE(read_price_tiers(json, "pricing_tiers").ok());
  EXPECT_FALSE(read_price_tiers(std::string(kMaxPriceTextBytes + 1, ' '), "pricing_tiers").ok());
}

TEST(PriceTiers, IsWrittenInOneSpellingThatReadsBackTheSame) {
  constexpr std::string_view kEntered =
      R"([ {"output_price":2.50,"input_price":"1e0","max_input_tokens":8},{"input_price":3,"output_price":4}])";
  const auto tiers = read_price_tiers(kEntered, "t");
  ASSERT_TRUE(tiers.ok());
  const std::string stated = price_tiers_json(*tiers, PriceSpelling::stated);
  EXPECT_EQ(stated, R"([{"max_input_tokens":8,"input_price":"1","output_price":"2.5"},)"
                    R"({"max_input_tokens":0,"input_price":"3","output_price":"4"}])");
  EXPECT_EQ(*read_price_tiers(stated, "t"), *tiers);
  const std::string complete = price_tiers_json(*tiers, PriceSpelling::complete);
  EXPECT_NE(complete.find(R"("cached_price":"0.2")"), std::string::npos);
  const auto again = read_price_tiers(complete, "t");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->front().prices, tiers->front().prices);
  EXPECT_EQ(price_tiers_json(*again, PriceSpelling::complete), complete);
}

TEST(PriceTiers, ThePromptsLengthChoosesTheTier) {
  const auto tiers = read_price_tiers(
      R"([{"input_price":1,"output_price":1,"max_input_tokens":10},
          {"input_price":2,"output_price":1,"max_input_tokens":20}])",
      "t");
  ASSERT_TRUE(tiers.ok());
  const std::pair<int64_t, const PriceTier*> cases[] = {
      {0, &tiers->front()}, {10, &tiers->front()}, {11, &tiers->back()},
      {20, &tiers->back()}, {21, &tiers->back()},  {int64_t{1} << 62, &tiers->back()},
  };
  for (const auto& [prompt, tier] : cases) EXPECT_EQ(tier_for(*tiers, prompt), tier) << prompt;
  EXPECT_EQ(tier_for({}, 5), nullptr);
}

TEST(PriceTiers, RangesSpanTiersAndModels) {
  const auto tiers = read_price_tiers(
      R"([{"input_price":3,"output_price":1,"max_input_tokens":10},
          {"input_price":2,"output_price":5}])",
      "t");
  const PriceTiers other = *read_price_tiers(R"([{"input_price":7,"output_price":4}])", "t");
  const PriceTiers free;
  const auto input = static_cast<size_t>(TokenClass::input);
  const auto output = static_cast<size_t>(TokenClass::output);
  const PriceTiers* const both[] = {&*tiers, &other};
  EXPECT_EQ(range_of(both).min[input], Money::parse("2"));
  EXPECT_EQ(range_of(both).max[input], Money::parse("7"));
  EXPECT_EQ(range_of(both).min[output], Money::parse("1"));
  EXPECT_EQ(range_of(both).max[output], Money::parse("5"));
  const PriceTiers* const one_free[] = {&free, &other};
  EXPECT_EQ(range_of(one_free).min[input], Money());
  EXPECT_EQ(range_of(one_free).max[input], Money::parse("7"));
  EXPECT_EQ(range_of({}).min[input], Money());
  EXPECT_EQ(range_of({}).max[input], Money());
}

TEST(Price, IsFreeOnlyWhenItSaysSo) {
  struct Case {
    const char* stored;
    Price::State state;
    bool free;
  };
  const Case cases[] = {
      {"", Price::State::unpriced, false},
      {"null", Price::State::unpriced, false},
      {"[]", Price::State::known, true},
      {R"([{"input_price":0,"output_price":0}])", Price::State::known, true},
      {R"([{"input_price":0,"output_price":0,"audio_output_price":1}])", Price::State::known,
       false},
      {R"([{"input_price":1,"output_price":1}])", Price::State::known, false},
      {R"([{"input_price":1}])", Price::State::unreadable, false},
      {"[{]", Price::State::unreadable, false},
      {"free", Price::State::unreadable, false},
  };
  for (const Case& c : cases) {
    const Price price = read_price(c.stored);
    EXPECT_EQ(price.state, c.state) << c.stored;
    EXPECT_EQ(price.known(), c.state == Price::State::known) << c.stored;
    EXPECT_EQ(price.free(), c.free) << c.stored;
    EXPECT_EQ(price.fault.empty(), c.state != Price::State::unreadable) << c.stored;
  }
}

}  // namespace
}  // namespace deeppool::governance
