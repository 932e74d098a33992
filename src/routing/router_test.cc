#include "routing/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "routing/limits.h"

namespace deeppool::routing {
namespace {

using provider::Endpoint;
using provider::Model;
using testing::ElementsAre;
using testing::HasSubstr;

struct Given {
  const char* name;
  int endpoints = 1;
  const char* price = "[]";
  const char* vendor = "provider";
};

std::shared_ptr<const Endpoint> endpoint(int64_t id, int64_t priority) {
  auto e = std::make_shared<Endpoint>();
  e->id = base::EndpointId{id};
  e->name = "e" + std::to_string(id);
  e->priority = priority;
  e->health = std::make_shared<provider::EndpointHealth>();
  return e;
}

std::shared_ptr<const Model> model(int64_t id, const Given& given) {
  auto m = std::make_shared<Model>();
  m->id = base::ModelId{id};
  m->name = given.name;
  m->vendor_type = given.vendor;
  m->price = governance::read_price(given.price);
  for (int i = 0; i < given.endpoints; ++i) {
    m->endpoints.push_back(endpoint(id * 10 + i, given.endpoints - i));
  }
  return m;
}

// A catalog with the models given and the hybrid "auto" over them (and over "gone").
class Pool {
 public:
  Pool(const std::vector<Given>& given, std::string policy, std::string default_policy = {})
      : router_(std::move(default_policy)) {
    auto hybrid = std::make_shared<Model>();
    hybrid->id = base::ModelId{1};
    hybrid->name = "auto";
    hybrid->vendor_type = "hybrid";
    hybrid->routing_policy = std::move(policy);
    std::vector<std::shared_ptr<const Model>> models;
    for (const Given& g : given) {
      models.push_back(model(static_cast<int64_t>(models.size()) + 2, g));
      hybrid->children.push_back({g.name, models.back()});
    }
    hybrid->children.push_back({"gone", nullptr});
    models.push_back(hybrid);
    router_.rebuild(std::make_shared<const provider::Catalog>(
        std::move(models), std::vector<std::shared_ptr<const provider::Endpoint>>(), 1));
  }

  Plan plan(int64_t chars = 0, std::string_view body = {}, const char* name = "auto") {
    routes_ = router_.current();
    view_.features.text_chars = chars;
    return routes_->plan({*routes_->catalog()->find(name), view_, body, {}}, random_);
  }
  std::shared_ptr<const Routes> routes() { return router_.current(); }
  llm::RequestView& view() { return view_; }

 private:
  Router router_;
  std::shared_ptr<const Routes> routes_;
  llm::RequestView view_;
  base::SeededRandom random_{1};
};

std::vector<std::string> names(const Plan& plan) {
  std::vector<std::string> out;
  for (const Candidate& c : plan.candidates) out.push_back(c.model->name + "/" + c.endpoint->name);
  return out;
}

constexpr const char* kRules = R"(
load_balance: round-robin
rules:
  - {name: long, condition: {min_input_tokens: 1000}, targets: [c, b]}
default_targets: [b]
)";

TEST(Router, TargetsComeFirstAndTheOtherChildrenAfterThem) {
  Pool pool({{"a"}, {"b"}, {"c"}}, kRules);
  const Plan is_short = pool.plan(40);
  EXPECT_THAT(names(is_short), ElementsAre("b/e30", "a/e20", "c/e40"));
  EXPECT_EQ(is_short.rule, nullptr);
  EXPECT_EQ(is_short.candidates[0].place, Place::default_target);
  EXPECT_EQ(is_short.candidates[1].place, Place::fallback);
  const Plan is_long = pool.plan(40'000);
  EXPECT_THAT(names(is_long), ElementsAre("b/e30", "c/e40", "a/e20"));  // the second turn
  EXPECT_EQ(is_long.rule->name, "long");
  EXPECT_THAT(names(pool.plan(40'000)), ElementsAre("c/e40", "b/e30", "a/e20"));
  ASSERT_EQ(is_long.passed_over.size(), 1u);
  EXPECT_EQ(is_long.passed_over[0].name, "gone");
  EXPECT_EQ(reason(is_long, is_long.passed_over[0]), "there is no such enabled model");
  EXPECT_THAT(reason(is_long, is_long.candidates[0]), HasSubstr("target of the rule `long`"));
  EXPECT_THAT(reason(is_long, is_long.candidates[2]), HasSubstr("fallback"));
}

TEST(Router, WithoutAPolicyAllChildrenAreTargets) {
  Pool pool({{"a"}, {"b"}}, "");
  const Plan plan = pool.plan();
  EXPECT_EQ(plan.policy->load_balance, LoadBalance::least_inflight);
  EXPECT_THAT(names(plan), ElementsAre("a/e20", "b/e30"));
  EXPECT_EQ(plan.candidates[0].place, Place::any_child);
  EXPECT_THAT(names(pool.plan()), ElementsAre("b/e30", "a/e20"));  // equals take turns
}

TEST(Router, ChildrenThatCannotAnswerArePassedOverWithTheReason) {
  Pool pool({{"a", 1, "null"}, {"b", 0}, {"c"}, {"d", 1, "{}"}, {"n", 1, "[]", "deepnode"}},
            "max_inflight_per_deepnode_child: 0");
  const Plan plan = pool.plan();
  EXPECT_THAT(names(plan), ElementsAre("c/e40", "n/e60"));
  std::vector<std::pair<std::string, Passed>> passed;
  for (const PassedOver& p : plan.passed_over) passed.emplace_back(p.name, p.why);
  EXPECT_THAT(passed, testing::UnorderedElementsAre(
                          std::pair("a", Passed::no_price), std::pair("b", Passed::no_endpoint),
                          std::pair("d", Passed::no_price), std::pair("gone", Passed::gone)));
}

// What endpoints have in hand and how fast they are comes from their health.
TEST(Router, LoadIsThatOfTheEndpoints) {
  Pool pool({{"a", 2}, {"b"}}, "load_balance: least-inflight");
  const auto endpoints = [&](const char* name) {
    return pool.routes()->catalog()->find(name)->endpoints;
  };
  base::SeededRandom random(5);
  const auto first = endpoints("a")[0]->health->enter(0, base::Instant{});
  const auto second = endpoints("a")[1]->health->enter(0, base::Instant{});
  for (int turn = 0; turn < 3; ++turn) {
    const Plan plan = pool.plan();
    EXPECT_EQ(plan.candidates[0].model->name, "b");
    EXPECT_EQ(plan.candidates[1].weighed.inflight, 2);
    EXPECT_THAT(reason(plan, plan.candidates[1]), HasSubstr("2 requests at once"));
  }
  auto ejected = endpoints("b")[0]->health->enter(0, base::Instant{});
  for (int i = 0; i < 3; ++i) {
    ejected.slot.failed(provider::Fault::connect, std::nullopt, base::Instant{}, random);
    ejected = endpoints("b")[0]->health->enter(0, base::Instant{});
  }
  const Plan plan = pool.plan();
  EXPECT_THAT(reason(plan, plan.candidates[0]), HasSubstr("ejected for now"));
}

// A child with many endpoints leaves room for the next child before its third is tried.
TEST(Router, EndpointsComeByPriorityAndNeverCrowdOutTheNextChild) {
  Pool pool({{"a", 4}, {"b", 2}}, "default_targets: [a]");
  EXPECT_THAT(names(pool.plan()),
              ElementsAre("a/e20", "a/e21", "b/e30", "b/e31", "a/e22", "a/e23"));
  const Plan plain = pool.plan(0, {}, "a");
  EXPECT_THAT(names(plain), ElementsAre("a/e20", "a/e21", "a/e22", "a/e23"));
  EXPECT_EQ(plain.policy, nullptr);
  EXPECT_THAT(reason(plain, plain.candidates[1]), HasSubstr("priority 3, weight 1"));
}

TEST(Router, TheCheapestIsTheCheapestForThisPrompt) {
  Pool pool({{"long", 1, R"([{"input_price":1,"output_price":10}])"},
             {"short", 1, R"([{"max_input_tokens":1000,"input_price":1,"output_price":2},
                              {"input_price":4,"output_price":20}])"}},
            "load_balance: lowest-cost");
  EXPECT_EQ(pool.plan(400).candidates[0].model->name, "short");
  EXPECT_EQ(pool.plan(400'000).candidates[0].model->name, "long");
  const Plan plan = pool.plan(400);
  EXPECT_THAT(reason(plan, plan.candidates[0]), HasSubstr("yuan for this prompt (lowest-cost)"));
}

TEST(Router, AConversationStaysWhereItsCacheIs) {
  Pool pool({{"a"}, {"b"}, {"c"}}, "load_balance: cache-affinity");
  std::set<std::string> homes;
  for (int i = 0; i < 64; ++i) {
    const std::string model_field = R"({"model":"auto","messages":)";
    const std::string head = std::to_string(i) + std::string(kAffinityHeadBytes, 'x');
    pool.view().prompt_begin = static_cast<uint32_t>(model_field.size());
    const std::string home = names(pool.plan(0, model_field + head + "first"))[0];
    EXPECT_EQ(names(pool.plan(0, model_field + head + "first and second"))[0], home);
    homes.insert(home);
  }
  EXPECT_EQ(homes.size(), 3u);
}

TEST(Router, ABrokenStoredPolicyGivesWayToTheDefault) {
  Pool pool({{"a"}, {"b"}}, "default_targets: [z]", "load_balance: cache-affinity");
  const auto routes = pool.routes();
  const Hybrid* hybrid = routes->hybrid(*routes->catalog()->find("auto"));
  ASSERT_NE(hybrid, nullptr);
  EXPECT_EQ(hybrid->fault, "line 1: `z` is not a child of this model");
  EXPECT_EQ(hybrid->policy.load_balance, LoadBalance::cache_affinity);
  EXPECT_EQ(routes->hybrid(*routes->catalog()->find("a")), nullptr);
  EXPECT_FALSE(check_default_policy("rules: 1").ok());
  EXPECT_TRUE(check_default_policy("rules: [{name: a, targets: [any]}]").ok());
}

// Whatever the policy, every child that can answer is asked, once per endpoint; the others are
// passed over with a reason.
RC_GTEST_PROP(RouterLaw, APlanHoldsEveryChildOnce, ()) {
  const char* const all[] = {"a", "b", "c", "d", "e"};
  std::vector<Given> given;
  const auto count = *rc::gen::inRange<size_t>(2, 6);
  for (size_t i = 0; i < count; ++i) {
    given.push_back({all[i], *rc::gen::inRange(0, 4), *rc::gen::element("[]", "null")});
  }
  const char* const strategies[] = {"least-inflight", "round-robin", "weighted",
                                    "lowest-latency", "lowest-cost", "cache-affinity"};
  std::string policy = "load_balance: " + std::string(strategies[*rc::gen::inRange(0, 6)]) +
                       "\nrules:\n  - name: r\n    condition: {min_input_tokens: 500}\n" +
                       "    targets: [" + given[*rc::gen::inRange<size_t>(0, count)].name +
                       "]\ndefault_targets: [" +
                       (*rc::gen::arbitrary<bool>() ? given[0].name : "") + "]\n";
  Pool pool(given, policy);
  const Plan plan = pool.plan(*rc::gen::inRange<int64_t>(0, 4000));
  std::multiset<std::string> seen, expected, passed;
  for (const Candidate& c : plan.candidates) seen.insert(c.endpoint->name);
  for (const PassedOver& p : plan.passed_over) passed.insert(std::string(p.name));
  for (size_t i = 0; i < count; ++i) {
    const bool asked = given[i].endpoints > 0 && std::string(given[i].price) == "[]";
    RC_ASSERT(passed.count(given[i].name) == (asked ? 0u : 1u));
    for (int e = 0; asked && e < given[i].endpoints; ++e) {
      expected.insert("e" + std::to_string((i + 2) * 10 + static_cast<size_t>(e)));
    }
  }
  RC_ASSERT(seen == expected);
  RC_ASSERT(passed.count("gone") == 1u);
}

}  // namespace
}  // namespace deeppool::routing
