#include "governance/pricing/charge.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <boost/multiprecision/cpp_int.hpp>
#include <fstream>
#include <limits>

#include "base/text.h"
#include "governance/limits.h"
#include "llm/limits.h"

namespace deeppool::governance {
namespace {

using base::Money;
using Big = boost::multiprecision::cpp_int;

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

PriceTiers tiers(std::string_view json) {
  auto read = read_price_tiers(json, "t");
  EXPECT_TRUE(read.ok()) << json;
  return read ? std::move(*read) : PriceTiers();
}

const PriceTiers& usual() {
  static const PriceTiers kTiers = tiers(
      R"([{"max_input_tokens":1000,"input_price":2,"output_price":8},
          {"input_price":4,"output_price":"12","cached_price":1,"cache_write_price":5}])");
  return kTiers;
}

struct Priced {
  const char* what;
  llm::Usage usage;
  Reduction reduction;
  const char* yuan;
};

TEST(Charge, IsTheSumOfDisjointClassesRoundedOnce) {
  const Priced cases[] = {
      {"nothing", {}, {}, "0"},
      {"input and output", {.prompt_tokens = 500, .completion_tokens = 100}, {}, "0.0018"},
      {"cached tokens are no input tokens",
       {.prompt_tokens = 500, .completion_tokens = 100, .cached_tokens = 400},
       {},
       "0.00116"},
      {"the second tier, for the whole request",
       {.prompt_tokens = 1001, .completion_tokens = 100},
       {},
       "0.005204"},
      {"cache writes",
       {.prompt_tokens = 2000, .cached_tokens = 500, .cache_write_tokens = 1000},
       {},
       "0.0075"},
      {"reasoning is output",
       {.prompt_tokens = 0, .completion_tokens = 100, .reasoning_tokens = 90},
       {},
       "0.0008"},
      {"half covered by a grant",
       {.prompt_tokens = 500, .completion_tokens = 100},
       {.grant_tokens = 300},
       "0.0009"},
      {"all covered", {.prompt_tokens = 500, .completion_tokens = 100}, {.grant_tokens = 600}, "0"},
      {"more than covered", {.prompt_tokens = 500}, {.grant_tokens = kMax}, "0"},
      {"20 % off", {.prompt_tokens = 500}, {.discount_ppm = 200'000}, "0.0008"},
      {"given away", {.prompt_tokens = 500}, {.discount_ppm = kMillion}, "0"},
      {"both; a third of a unit is dropped",
       {.prompt_tokens = 3},
       {.grant_tokens = 1, .discount_ppm = 333'333},
       "0.0000026667"},
  };
  for (const Priced& c : cases) {
    const auto cost = charge(usual(), c.usage, c.reduction);
    ASSERT_TRUE(cost.ok()) << c.what;
    EXPECT_EQ(cost->to_string(), c.yuan) << c.what;
  }
}

// What docs/pricing.md tells users.
struct Documented {
  PriceTiers tiers;
  std::vector<std::vector<std::string>> examples;  // cells
};

Documented documented() {
  std::ifstream file(std::string(DEEPPOOL_SOURCE_DIR) + "/docs/pricing.md");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  Documented out;
  const size_t json = text.find("```json") + 7;
  out.tiers = tiers(std::string_view(text).substr(json, text.find("```", json) - json));
  const size_t table = text.find("| example |");
  for (const std::string_view line : base::split(std::string_view(text).substr(table), '\n')) {
    if (!line.starts_with("| ")) {
      if (line.empty()) break;
      continue;
    }
    std::vector<std::string> cells;
    for (const std::string_view cell : base::split(line, '|')) cells.emplace_back(base::trim(cell));
    if (cells.at(1) != "example") out.examples.push_back(cells);
  }
  return out;
}

TEST(Charge, IsWhatTheDocumentSays) {
  const Documented document = documented();
  ASSERT_EQ(document.tiers.size(), 2U);
  ASSERT_GE(document.examples.size(), 9U);
  for (const auto& cells : document.examples) {
    const auto number = [&](size_t i) { return base::parse_int<int64_t>(cells.at(i)).value(); };
    const llm::Usage usage{.prompt_tokens = number(2),
                           .completion_tokens = number(5),
                           .cached_tokens = number(3),
                           .cache_write_tokens = number(4)};
    // Parts per million: Money reads decimals exactly.
    const std::string percent = cells.at(7).substr(0, cells.at(7).find(' '));
    const int64_t ppm = Money::parse(percent)->units() / 1'000'000;
    const auto cost = charge(document.tiers, usage, {number(6), ppm});
    ASSERT_TRUE(cost.ok()) << cells.at(1);
    EXPECT_EQ(cost->to_string(), cells.at(8)) << cells.at(1);
  }
}

TEST(Charge, AnEmptyListIsFree) {
  const llm::Usage usage{.prompt_tokens = 1'000'000, .completion_tokens = 1'000'000};
  EXPECT_EQ(*charge({}, usage), Money());
  EXPECT_EQ(bound({}, kMaxRequestTokens, kMaxRequestTokens), Money());
}

TEST(Charge, RefusesCountsThatCannotBe) {
  const std::pair<llm::Usage, Reduction> cases[] = {
      {{.prompt_tokens = -1}, {}},
      {{.completion_tokens = -1}, {}},
      {{.prompt_tokens = kMax}, {}},
      {{.completion_tokens = kMaxRequestTokens + 1}, {}},
      {{.prompt_tokens = 1, .cached_tokens = 2}, {}},
      {{.prompt_tokens = 2, .cached_tokens = -1}, {}},
      {{.prompt_tokens = 2, .cached_tokens = 1, .cache_write_tokens = 2}, {}},
      {{.completion_tokens = 1, .audio_output_tokens = 2}, {}},
      {{.prompt_tokens = 2, .cached_tokens = kMax, .cache_write_tokens = kMax}, {}},
      {{.prompt_tokens = 2}, {.grant_tokens = -1}},
      {{.prompt_tokens = 2}, {.discount_ppm = -1}},
      {{.prompt_tokens = 2}, {.discount_ppm = kMillion + 1}},
  };
  for (const auto& [usage, reduction] : cases) {
    EXPECT_FALSE(charge(usual(), usage, reduction).ok())
        << usage.prompt_tokens << " " << usage.completion_tokens;
  }
}

TEST(Charge, TheDearestRequestThatCodecsLetThroughFits) {
  const PriceTiers dearest = tiers(R"([{"input_price":100000,"output_price":100000}])");
  const llm::Usage most{.prompt_tokens = llm::kMaxTokens, .completion_tokens = llm::kMaxTokens};
  EXPECT_EQ(charge(dearest, most)->to_string(), "429496729.6");
  EXPECT_EQ(bound(dearest, llm::kMaxTokens, llm::kMaxTokens).to_string(), "429496729.6");
  const llm::Usage beyond{.prompt_tokens = kMaxRequestTokens};
  EXPECT_FALSE(charge(dearest, beyond).ok());
}

TEST(Bound, IsNeverBelowWhatIsBeyondIt) {
  for (const int64_t tokens : {kMaxRequestTokens + 1, kMax}) {
    EXPECT_EQ(bound(usual(), tokens, 0).units(), kMax);
    EXPECT_EQ(bound(usual(), 0, tokens).units(), kMax);
  }
  EXPECT_EQ(bound(usual(), -5, -5), Money());
  EXPECT_EQ(bound(usual(), 1, 1, {.discount_ppm = -1}).units(), kMax);
}

TEST(Bound, CoversTheTiersThatAPromptMayFallInto) {
  EXPECT_EQ(bound(usual(), 1000, 100).to_string(), "0.0028");
  EXPECT_EQ(bound(usual(), 1001, 100).to_string(), "0.006205");  // cache writes at 5
  const PriceTiers falling = tiers(
      R"([{"max_input_tokens":10,"input_price":9,"output_price":9},
          {"input_price":1,"output_price":1}])");
  EXPECT_EQ(bound(falling, 20, 0).to_string(), "0.00018");
}

// What the laws below are tried on: prices from nothing to the dearest, counts of any size.
struct Law {
  PriceTiers tiers;
  llm::Usage usage;
  Reduction reduction;
};

// Of any order of magnitude up to `most`, both ends included.
int64_t any_up_to(int64_t most) {
  const int bits = *rc::gen::inRange(0, 64);
  const uint64_t random = *rc::gen::arbitrary<uint64_t>() & ((uint64_t{1} << bits) - 1);
  if (bits == 63) return most;
  return static_cast<int64_t>(random % (static_cast<uint64_t>(most) + 1));
}

Law any_law(int64_t most_tokens) {
  Law law;
  int64_t limit = 0;
  for (int left = *rc::gen::inRange(1, 5); left > 0; --left) {
    PriceTier tier;
    limit += 1 + any_up_to(1'000'000);
    tier.max_input_tokens = left == 1 && *rc::gen::arbitrary<bool>() ? 0 : limit;
    for (Money& price : tier.prices) price = Money::units(any_up_to(kMaxPriceUnits));
    law.tiers.push_back(tier);
  }
  llm::Usage& u = law.usage;
  u.prompt_tokens = any_up_to(most_tokens);
  u.completion_tokens = any_up_to(most_tokens);
  int64_t rest = u.prompt_tokens;
  for (int64_t* part :
       {&u.cached_tokens, &u.cache_write_tokens, &u.image_input_tokens, &u.audio_input_tokens}) {
    rest -= * part = any_up_to(rest);
  }
  rest = u.completion_tokens;
  for (int64_t* part : {&u.image_output_tokens, &u.audio_output_tokens}) {
    rest -= * part = any_up_to(rest);
  }
  law.reduction.grant_tokens = any_up_to(2 * most_tokens);
  law.reduction.discount_ppm = any_up_to(kMillion);
  return law;
}

// The definition, in integers of any length: the numerator over its denominator, rounded half up.
Big oracle(const Law& law) {
  const llm::Usage& u = law.usage;
  if (u.total() == 0) return 0;
  const auto price = [&](TokenClass which) {
    return Big(tier_for(law.tiers, u.prompt_tokens)->price(which).units());
  };
  const Big sum = Big(u.prompt_tokens - u.cached_tokens - u.cache_write_tokens -
                      u.image_input_tokens - u.audio_input_tokens) *
                      price(TokenClass::input) +
                  u.cached_tokens * price(TokenClass::cached) +
                  u.cache_write_tokens * price(TokenClass::cache_write) +
                  u.image_input_tokens * price(TokenClass::image_input) +
                  u.audio_input_tokens * price(TokenClass::audio_input) +
                  Big(u.completion_tokens - u.image_output_tokens - u.audio_output_tokens) *
                      price(TokenClass::output) +
                  u.image_output_tokens * price(TokenClass::image_output) +
                  u.audio_output_tokens * price(TokenClass::audio_output);
  const int64_t paid = u.total() - std::min(law.reduction.grant_tokens, u.total());
  const Big numerator = sum * paid * (kMillion - law.reduction.discount_ppm);
  const Big denominator = Big(u.total()) * kMillion * kMillion;
  return (2 * numerator + denominator) / (2 * denominator);
}

RC_GTEST_PROP(ChargeLaws, EqualsTheDefinitionInLongNumbersOrIsRefused, ()) {
  const Law law = any_law(kMaxRequestTokens);
  const auto cost = charge(law.tiers, law.usage, law.reduction);
  const Big exact = oracle(law);
  RC_ASSERT(cost.ok() == (exact <= kMax));
  if (cost) RC_ASSERT(Big(cost->units()) == exact);
}

RC_GTEST_PROP(ChargeLaws, IsWithinZeroAndTheBound, ()) {
  const Law law = any_law(llm::kMaxTokens);
  const auto cost = charge(law.tiers, law.usage, law.reduction);
  RC_ASSERT(cost.ok());
  RC_ASSERT(cost->units() >= 0);
  const int64_t prompt = law.usage.prompt_tokens + any_up_to(1000);
  const int64_t output = law.usage.completion_tokens + any_up_to(1000);
  const Money most = bound(law.tiers, prompt, output, law.reduction);
  RC_ASSERT(*cost <= most);
  RC_ASSERT(most <= bound(law.tiers, prompt + any_up_to(kMaxRequestTokens), output, law.reduction));
  RC_ASSERT(most <= bound(law.tiers, prompt, output + any_up_to(kMaxRequestTokens), law.reduction));
}

RC_GTEST_PROP(ChargeLaws, NeverFallsWithMoreTokensOfAClass, ()) {
  Law law = any_law(llm::kMaxTokens / 2);
  law.tiers.resize(1);  // a longer prompt may reach a cheaper tier
  const auto before = charge(law.tiers, law.usage, law.reduction);
  const int64_t more = any_up_to(llm::kMaxTokens / 2);
  llm::Usage& u = law.usage;
  int64_t* const classes[] = {&u.prompt_tokens,       &u.cached_tokens,      &u.cache_write_tokens,
                              &u.image_input_tokens,  &u.audio_input_tokens, &u.completion_tokens,
                              &u.image_output_tokens, &u.audio_output_tokens};
  const size_t which = *rc::gen::inRange<size_t>(0, std::size(classes));
  *classes[which] += more;
  if (which > 0 && which < kInputClasses) u.prompt_tokens += more;
  if (which > kInputClasses) u.completion_tokens += more;
  const auto after = charge(law.tiers, law.usage, law.reduction);
  RC_ASSERT(before.ok());
  RC_ASSERT(after.ok());
  RC_ASSERT(*before <= *after);
}

RC_GTEST_PROP(ChargeLaws, IsTheSumOfItsClassesUpToTheirRounding, ()) {
  Law law = any_law(llm::kMaxTokens);
  law.tiers.resize(1);
  const llm::Usage& u = law.usage;
  llm::Usage prompt = u;
  prompt.completion_tokens = prompt.image_output_tokens = prompt.audio_output_tokens = 0;
  llm::Usage answer;
  answer.completion_tokens = u.completion_tokens;
  answer.image_output_tokens = u.image_output_tokens;
  answer.audio_output_tokens = u.audio_output_tokens;
  const int64_t parts = charge(law.tiers, prompt)->units() + charge(law.tiers, answer)->units();
  const int64_t whole = charge(law.tiers, u)->units();
  RC_ASSERT(parts - whole <= 1);
  RC_ASSERT(whole - parts <= 1);
}

RC_GTEST_PROP(ChargeLaws, AnyBitsAtAllAreRefusedOrWithinMoney, ()) {
  llm::Usage usage;
  for (int64_t* count :
       {&usage.prompt_tokens, &usage.completion_tokens, &usage.cached_tokens,
        &usage.cache_write_tokens, &usage.image_input_tokens, &usage.audio_input_tokens,
        &usage.image_output_tokens, &usage.audio_output_tokens}) {
    *count = *rc::gen::arbitrary<bool>() ? any_up_to(kMax) : -any_up_to(kMax) - 1;
  }
  const Reduction reduction{*rc::gen::arbitrary<int64_t>(), *rc::gen::arbitrary<int64_t>()};
  const auto cost = charge(usual(), usage, reduction);
  if (cost) RC_ASSERT(cost->units() >= 0);
  RC_ASSERT(bound(usual(), usage.prompt_tokens, usage.completion_tokens, reduction).units() >= 0);
}

}  // namespace
}  // namespace deeppool::governance
