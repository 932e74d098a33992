#include "routing/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "routing/limits.h"

namespace deeppool::routing {
namespace {

using testing::HasSubstr;

const std::vector<std::string> kChildren = {"model-a", "model-b", "model-c"};

ReadPolicy read(std::string_view yaml) {
  return read_policy(yaml, kChildren);
}

constexpr const char* kWhole = R"(load_balance: round-robin
max_inflight_per_deepnode_child: 2
rules:
  - name: long_context
    condition: {min_input_tokens: 128001}
    targets: ["model-a", "model-b"]
  - name: pictures
    condition:
      has_vision: true
      max_image_count: 4
    targets: [model-c]
default_targets: ["model-b"]
)";

TEST(Policy, ReadsWhatTheContractShows) {
  const ReadPolicy whole = read(kWhole);
  ASSERT_TRUE(whole.ok()) << to_text(whole.faults);
  const Policy& p = whole.policy;
  EXPECT_EQ(p.load_balance, LoadBalance::round_robin);
  EXPECT_EQ(p.max_inflight_per_deepnode_child, 2);
  EXPECT_EQ(p.default_targets, Targets({1}));
  ASSERT_EQ(p.rules.size(), 2u);
  EXPECT_EQ(p.rules[0].targets, Targets({0, 1}));
  EXPECT_EQ(p.match({.input_tokens = 128'001}), &p.rules[0]);
  EXPECT_EQ(p.match({.input_tokens = 128'000}), nullptr);
  EXPECT_EQ(p.match({.image_count = 4, .has_vision = true}), &p.rules[1]);
  EXPECT_EQ(p.match({.image_count = 5, .has_vision = true}), nullptr);
  EXPECT_EQ(p.match({.input_tokens = 200'000, .image_count = 1, .has_vision = true}), &p.rules[0]);
}

TEST(Policy, AnEmptyTextIsNoRules) {
  for (const char* text : {"", "\n", "# only a comment\n", "---\n", "rules:\ndefault_targets:\n"}) {
    const ReadPolicy empty = read(text);
    EXPECT_TRUE(empty.ok()) << text << to_text(empty.faults);
    EXPECT_TRUE(empty.policy.rules.empty());
    EXPECT_EQ(empty.policy.load_balance, LoadBalance::least_inflight);
  }
}

TEST(Policy, EveryStrategyHasItsName) {
  for (const char* name : {"least-inflight", "round-robin", "weighted", "lowest-latency",
                           "lowest-cost", "cache-affinity"}) {
    const ReadPolicy one = read("load_balance: " + std::string(name));
    ASSERT_TRUE(one.ok()) << to_text(one.faults);
    EXPECT_EQ(to_string(one.policy.load_balance), name);
  }
  const ReadPolicy weighted = read("load_balance: weighted\nweights: {model-b: 3}");
  ASSERT_TRUE(weighted.ok()) << to_text(weighted.faults);
  EXPECT_EQ(weighted.policy.weights, std::vector<int64_t>({1, 3, 1}));
}

struct Broken {
  const char* yaml;
  int line;
  const char* says;
};

TEST(Policy, EachFaultNamesItsLine) {
  const Broken cases[] = {
      {"load_balanse: round-robin", 1, "`load_balanse` is not a key"},
      {"load_balance: fastest", 1, "one of least-inflight"},
      {"load_balance: [round-robin]", 1, "one of"},
      {"\nmax_inflight_per_deepnode_child: -1", 2, "whole number from 0"},
      {"max_inflight_per_deepnode_child: 1.5", 1, "whole number"},
      {"max_inflight_per_deepnode_child: \"2\"", 1, "whole number"},
      {"max_inflight_per_deepnode_child: 99999999999999999999", 1, "whole number"},
      {"rules: {name: x}", 1, "must be a list"},
      {"rules: [x]", 1, "a rule must be keys"},
      {"rules:\n  - targets: [model-a]", 2, "needs a `name`"},
      {"rules:\n  - name: x", 2, "needs `targets`"},
      {"rules:\n  - name: x\n    targets: []", 3, "at least one child"},
      {"rules:\n  - name: x\n    targets: model-a", 3, "`targets` must be a list"},
      {"rules:\n  - name: x\n    targets:\n      - model-a\n      - model-z", 5,
       "`model-z` is not a child"},
      {"rules:\n  - name: x\n    targets: [model-a, model-a]", 3, "named twice"},
      {"rules:\n  - name: x\n    targets: [{a: b}]", 3, "a target must be a model's name"},
      {"rules:\n  - {name: x, targets: [model-a]}\n  - {name: x, targets: [model-b]}", 3,
       "in line 2 already"},
      {"rules:\n  - name: ''\n    targets: [model-a]", 2, "`name` must be text"},
      {"rules:\n  - {name: x, targets: [model-a], conditions: {}}", 2, "`conditions` is not a key"},
      {"rules:\n  - name: x\n    targets: [model-a]\n    condition: yes", 4, "`condition` must be"},
      {"rules:\n  - name: x\n    targets: [model-a]\n    condition: {min_tokens: 1}", 4,
       "`min_tokens` is not a key"},
      {"rules:\n  - name: x\n    targets: [model-a]\n    condition: {has_tools: yes}", 4,
       "true or false"},
      {"rules:\n  - name: x\n    targets: [model-a]\n    condition: {has_tools: 'true'}", 4,
       "true or false"},
      {"rules:\n  - name: x\n    targets: [model-a]\n    condition:\n      max_input_tokens: 5\n"
       "      min_input_tokens: 6",
       6, "`min_input_tokens` is above `max_input_tokens`"},
      {"rules:\n  - name: x\n    targets: [model-a]\n    condition: {has_tools: false, "
       "min_tool_count: 1}",
       4, "contradict"},
      {"rules:\n  - name: x\n    targets: [model-a]\n    condition: {has_vision: true, "
       "max_image_count: 0}",
       4, "contradict"},
      {"default_targets: [nobody]", 1, "`nobody` is not a child"},
      {"weights: {model-a: 2}", 1, "`load_balance: weighted`"},
      {"load_balance: weighted\nweights:\n  model-a: 0", 3, "from 1 to"},
      {"load_balance: weighted\nweights:\n  nobody: 1", 3, "not a child"},
      {"- a\n- b", 1, "the policy must be keys"},
      {"just text", 1, "the policy must be keys"},
      {"rules: &r []\ndefault_targets: *r", 1, "anchors"},
      {"rules: !!seq []", 1, "tags"},
      {"a: 1\n---\nb: 1", 2, "second document"},
      {"load_balance: weighted\nload_balance: weighted", 2, "given twice"},
      {"rules: [", 1, "not valid YAML"},
      {"rules:\n\t- name: x", 2, "not valid YAML"},
      {"\xff", 1, "UTF-8"},
  };
  for (const Broken& c : cases) {
    const ReadPolicy bad = read(c.yaml);
    ASSERT_FALSE(bad.ok()) << c.yaml;
    EXPECT_EQ(bad.faults[0].line, c.line) << c.yaml << "\n" << to_text(bad.faults);
    EXPECT_THAT(bad.faults[0].message, HasSubstr(c.says)) << c.yaml;
  }
}

TEST(Policy, AllFaultsAreTold) {
  const ReadPolicy bad = read(
      "load_balance: best\nrules:\n  - name: a\n    targets: [x]\n    condition: {has_tools: 1}\n"
      "default_targets: [y]\nspeed: 3\n");
  std::vector<int> lines;
  for (const Fault& fault : bad.faults) lines.push_back(fault.line);
  EXPECT_EQ(lines, std::vector<int>({1, 4, 5, 6, 7}));
}

TEST(Policy, HasBounds) {
  std::string many = "rules:\n";
  for (size_t i = 0; i <= kMaxRules; ++i) {
    many += "  - {name: r" + std::to_string(i) + ", targets: [model-a]}\n";
  }
  EXPECT_THAT(to_text(read(many).faults), HasSubstr("at most 200 rules"));
  EXPECT_THAT(to_text(read(std::string(kMaxPolicyBytes + 1, ' ')).faults), HasSubstr("too long"));
  EXPECT_THAT(to_text(read("a: " + std::string(20, '[') + std::string(20, ']')).faults),
              HasSubstr("nested too deeply"));
  std::string faulty;
  for (int i = 0; i < 200; ++i) faulty += "k" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(read(faulty).faults.size(), kMaxFaults);
}

// For hybrids of any children: a name that is no child is passed over.
TEST(Policy, ADefaultPolicyNamesWhatItLikes) {
  const ReadPolicy any = read_policy(
      "rules:\n  - {name: a, targets: [nobody]}\n  - {name: b, targets: [nobody, model-c]}\n",
      kChildren, Naming::anything);
  ASSERT_TRUE(any.ok()) << to_text(any.faults);
  ASSERT_EQ(any.policy.rules.size(), 1u);
  EXPECT_EQ(any.policy.rules[0].targets, Targets({2}));
  EXPECT_FALSE(read_policy("rules: 1", {}, Naming::anything).ok());
}

// A second evaluator, written from the contract's words: the winning rule is the first of which
// every condition that was given holds.
struct GivenCondition {
  std::optional<int64_t> min_tokens, max_tokens, min_tools, max_tools, min_images, max_images;
  std::optional<bool> tools, reasoning, vision;
};

template <class T>
void line(std::string& out, const char* key, const std::optional<T>& value) {
  if (!value) return;
  out += "      " + std::string(key) + ": ";
  if constexpr (std::is_same_v<T, bool>) {
    out += *value ? "true\n" : "false\n";
  } else {
    out += std::to_string(*value) + "\n";
  }
}

bool holds(const GivenCondition& g, const Signals& s) {
  if (g.min_tokens && s.input_tokens < *g.min_tokens) return false;
  if (g.max_tokens && s.input_tokens > *g.max_tokens) return false;
  if (g.min_tools && s.tool_count < *g.min_tools) return false;
  if (g.max_tools && s.tool_count > *g.max_tools) return false;
  if (g.min_images && s.image_count < *g.min_images) return false;
  if (g.max_images && s.image_count > *g.max_images) return false;
  if (g.tools && *g.tools != (s.tool_count > 0)) return false;
  if (g.reasoning && *g.reasoning != s.has_reasoning) return false;
  return !g.vision || *g.vision == s.has_vision;
}

std::optional<int64_t> maybe(int64_t low, int64_t high) {
  if (*rc::gen::inRange(0, 3) != 0) return std::nullopt;
  return *rc::gen::inRange(low, high);
}
std::optional<bool> maybe_flag() {
  if (*rc::gen::inRange(0, 3) != 0) return std::nullopt;
  return *rc::gen::arbitrary<bool>();
}

RC_GTEST_PROP(PolicyLaw, TheFirstFullMatchWins, ()) {
  std::vector<GivenCondition> given(*rc::gen::inRange<size_t>(1, 8));
  std::string yaml = "rules:\n";
  for (size_t i = 0; i < given.size(); ++i) {
    GivenCondition& g = given[i];
    g.min_tokens = maybe(0, 10);
    g.max_tokens = maybe(10, 20);
    g.min_tools = maybe(0, 2);
    g.max_tools = maybe(3, 5);
    g.min_images = maybe(0, 2);
    g.max_images = maybe(3, 5);
    g.reasoning = maybe_flag();
    if (!g.min_tools) g.tools = maybe_flag();
    g.vision = maybe_flag();
    yaml += "  - name: r" + std::to_string(i) + "\n    targets: [model-a]\n    condition:\n";
    line(yaml, "min_input_tokens", g.min_tokens);
    line(yaml, "max_input_tokens", g.max_tokens);
    line(yaml, "min_tool_count", g.min_tools);
    line(yaml, "max_tool_count", g.max_tools);
    line(yaml, "min_image_count", g.min_images);
    line(yaml, "max_image_count", g.max_images);
    line(yaml, "has_tools", g.tools);
    line(yaml, "has_reasoning", g.reasoning);
    line(yaml, "has_vision", g.vision);
  }
  const ReadPolicy made = read(yaml);
  RC_ASSERT(made.ok());
  const Signals signals{.input_tokens = *rc::gen::inRange<int64_t>(0, 25),
                        .tool_count = *rc::gen::inRange<int64_t>(0, 6),
                        .image_count = *rc::gen::inRange<int64_t>(0, 6),
                        .has_reasoning = *rc::gen::arbitrary<bool>(),
                        .has_vision = *rc::gen::arbitrary<bool>()};
  const auto wins =
      std::ranges::find_if(given, [&](const GivenCondition& g) { return holds(g, signals); });
  const Rule* matched = made.policy.match(signals);
  RC_ASSERT((matched == nullptr) == (wins == given.end()));
  if (matched != nullptr) RC_ASSERT(matched - made.policy.rules.data() == wins - given.begin());
}

}  // namespace
}  // namespace deeppool::routing
