// Usage, cost and their exports from outside.
#include <gtest/gtest.h>

#include <set>

#include "governance/usage/usage_row.h"
#include "tests/api/rig.h"

namespace deeppool::api_contract {
namespace {

using governance::Outcome;
using governance::UsageRow;
using identity::Role;

constexpr int64_t kDayMs = 86'400'000;
constexpr const char* kRequests = "/api/v1/usage/requests";

class Usage : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    if (IsSkipped()) return;
    admin_ = rig().add_person("root", Role::admin);
    ada_ = rig().add_person("ada");
    bob_ = rig().add_person("bob");
    now_ = base::unix_ms(rig().clock().wall());
  }
  // Of ada, now, with key 1.
  UsageRow row(int64_t tokens) { return row_at(now_, tokens); }
  // The id says when the request came in, as the gateway makes it.
  UsageRow row_at(int64_t at_ms, int64_t tokens) {
    static base::SystemRandom random;
    testing::FakeClock clock;
    clock.set_wall(base::WallTime(std::chrono::milliseconds(at_ms)));
    UsageRow row;
    row.request_id = base::RequestId::make(clock, random);
    row.user = ada_.id;
    row.key = base::ApiKeyId{1};
    row.model = "model-a";
    row.started_at_ms = at_ms;
    row.status = 200;
    row.attempts = 1;
    row.usage.prompt_tokens = tokens;
    row.usage.completion_tokens = 1;
    return row;
  }
  void store(const std::vector<UsageRow>& rows) {
    const auto stored = rig().usage().apply(rows, {});
    ASSERT_TRUE(stored.ok()) << stored.error().detail;
  }
  Reply get(const Person& who, const std::string& path) {
    return rig().call("GET", path, who.token);
  }
  Person admin_, ada_, bob_;
  int64_t now_ = 0;
};
DEEPPOOL_EACH_DATABASE(Usage);

TEST_P(Usage, IsTheUsersOwn) {
  UsageRow other_key = row_at(now_ - kDayMs, 5);
  other_key.key = base::ApiKeyId{2};
  UsageRow bobs = row(1000);
  bobs.user = bob_.id;
  bobs.key = base::ApiKeyId{3};
  store({row(10), other_key, row_at(now_ - 40 * kDayMs, 100), bobs});
  const Reply sum = get(ada_, "/api/v1/usage/summary");
  ASSERT_EQ(sum.status, 200) << sum.raw;
  EXPECT_EQ(sum.data().at("requests").as_int64(), 2);  // the last 30 days
  EXPECT_EQ(sum.data().at("prompt_tokens").as_int64(), 15);
  EXPECT_EQ(sum.data().at("total_tokens").as_int64(), 17);
  EXPECT_EQ(sum.data().at("to").as_string(), "2027-01-15");
  const Reply keys = get(ada_, "/api/v1/usage/consumption?group_by=key");
  EXPECT_EQ(keys.data().at("total").as_int64(), 2) << keys.raw;
  EXPECT_EQ(keys.data().at("items").at(0).at("key_id").as_int64(), 1);
  const Reply days = get(ada_, "/api/v1/usage/consumption?from=2026-12-01&to=2027-01-15");
  EXPECT_EQ(days.data().at("total").as_int64(), 3) << days.raw;
  EXPECT_EQ(days.data().at("items").at(0).at("day").as_string(), "2027-01-15");
  const Reply board = get(admin_, "/api/v1/admin/dashboard");
  EXPECT_EQ(board.data().at("today").at("requests").as_int64(), 2);
  EXPECT_EQ(board.data().at("today").at("prompt_tokens").as_int64(), 1010);
  // Whatever user is asked for, a user sees their own.
  const std::string of_bob = "?user_id=" + std::to_string(bob_.id.value);
  EXPECT_EQ(get(ada_, "/api/v1/usage/summary" + of_bob).raw, sum.raw);
  EXPECT_EQ(get(ada_, kRequests + of_bob).data().at("items").as_array().size(), 3u);
}

TEST_P(Usage, ClassesAddUpAndChargesAreExact) {
  UsageRow a = row(100);
  a.usage.cached_tokens = 30;
  a.usage.cache_write_tokens = 20;
  a.usage.completion_tokens = 40;
  a.usage.reasoning_tokens = 25;
  a.bill.charged = base::Money::units(1);
  UsageRow b = row(1);
  b.bill.charged = base::Money::units(12'345'678'901);
  store({a, b});
  const Reply sum = get(ada_, "/api/v1/usage/summary");
  const auto& data = sum.data();
  EXPECT_EQ(data.at("input_tokens").as_int64(), 51) << sum.raw;
  EXPECT_EQ(data.at("cached_tokens").as_int64(), 30);
  EXPECT_EQ(data.at("cache_write_tokens").as_int64(), 20);
  EXPECT_EQ(data.at("completion_tokens").as_int64(), 41);
  EXPECT_EQ(data.at("reasoning_tokens").as_int64(), 25);
  EXPECT_EQ(data.at("total_tokens").as_int64(), 142);
  EXPECT_EQ(data.at("cost_yuan").as_string(), "1.2345678902");
}

TEST_P(Usage, KeysShowWhatTheyWereCharged) {
  const Reply made = rig().call("POST", "/api/v1/apikeys", ada_.token, R"({"name":"k"})");
  ASSERT_EQ(made.status, 200) << made.raw;
  EXPECT_EQ(made.data().at("cost_yuan").as_string(), "0");
  std::vector<UsageRow> rows = {row(1), row(2)};
  for (UsageRow& r : rows) {
    r.key = base::ApiKeyId{made.data().at("id").as_int64()};
    r.bill.charged = *base::Money::parse("0.25");
  }
  store(rows);
  const Reply list = get(ada_, "/api/v1/apikeys");
  EXPECT_EQ(list.data().at("items").at(0).at("cost_yuan").as_string(), "0.5") << list.raw;
  const Reply spend = get(ada_, "/api/v1/usage/consumption?group_by=key");
  EXPECT_EQ(spend.data().at("items").at(0).at("cost_yuan").as_string(), "0.5") << spend.raw;
}

TEST_P(Usage, AdministratorsSeeAllOrOne) {
  UsageRow bobs = row(1000);
  bobs.user = bob_.id;
  bobs.source = governance::ModelSource::deepnode;
  store({row(10), row(20), bobs});
  const auto admin = [&](const std::string& rest) {
    return get(admin_, "/api/v1/admin/usage/" + rest);
  };
  const std::string of_ada = "user_id=" + std::to_string(ada_.id.value);
  EXPECT_EQ(admin("summary").data().at("prompt_tokens").as_int64(), 1030);
  EXPECT_EQ(admin("summary?" + of_ada).data().at("prompt_tokens").as_int64(), 30);
  EXPECT_EQ(admin("summary?source=deepnode").data().at("prompt_tokens").as_int64(), 1000);
  const Reply users = admin("consumption?group_by=user");
  ASSERT_EQ(users.data().at("total").as_int64(), 2) << users.raw;
  EXPECT_EQ(users.data().at("items").at(0).at("user_id").as_int64(), bob_.id.value);
  const Reply sources = admin("consumption?group_by=source&" + of_ada);
  EXPECT_EQ(sources.data().at("items").at(0).at("source").as_string(), "provider") << sources.raw;
  EXPECT_EQ(admin("requests").data().at("items").as_array().size(), 3u);
  const Reply one = admin("requests?user_id=" + std::to_string(bob_.id.value));
  ASSERT_EQ(one.data().at("items").as_array().size(), 1u) << one.raw;
  EXPECT_EQ(one.data().at("items").at(0).at("user_id").as_int64(), bob_.id.value);
  EXPECT_TRUE(one.data().at("items").at(0).at("endpoint_id").is_null());
  // Which upstream answered is not for users.
  EXPECT_EQ(get(bob_, kRequests).raw.find("endpoint_id"), std::string::npos);
}

TEST_P(Usage, RequestsAreListedNewestFirstBehindACursor) {
  std::vector<UsageRow> rows;
  for (int64_t i = 0; i < 25; ++i) rows.push_back(row_at(now_ + i, 100 + i));
  rows[24].outcome = Outcome::client_aborted;
  rows[24].bill = {base::PriceId{7}, *base::Money::parse("0.5"), 250'000, {}};
  rows[24].bill.grants.add({base::GrantId{3}, 11});
  store(rows);
  std::set<std::string> seen;
  std::string cursor;
  for (const size_t expected : {10u, 10u, 5u}) {
    const Reply page = get(ada_, std::string(kRequests) + "?page_size=10" + cursor);
    ASSERT_EQ(page.status, 200) << page.raw;
    const auto& items = page.data().at("items").as_array();
    ASSERT_EQ(items.size(), expected) << page.raw;
    for (const auto& item : items) {
      const int64_t n = 24 - static_cast<int64_t>(seen.size());
      EXPECT_EQ(item.at("prompt_tokens").as_int64(), 100 + n);
      EXPECT_EQ(item.at("started_at").as_int64(), now_ + n);
      EXPECT_TRUE(seen.insert(std::string(item.at("request_id").as_string())).second);
    }
    const auto& next = page.data().at("next_cursor");
    ASSERT_EQ(next.is_null(), expected == 5u) << page.raw;
    if (!next.is_null()) cursor = "&cursor=" + std::string(next.as_string());
  }
  const Reply first = get(ada_, std::string(kRequests) + "?page_size=1");
  const auto& item = first.data().at("items").at(0);
  EXPECT_EQ(item.at("outcome").as_string(), "client_aborted");
  EXPECT_EQ(item.at("cost_yuan").as_string(), "0.5");
  EXPECT_EQ(item.at("price_id").as_int64(), 7);
  EXPECT_EQ(item.at("discount_ppm").as_int64(), 250'000);
  EXPECT_EQ(item.at("grant_tokens").as_int64(), 11);
}

TEST_P(Usage, RequestsAreFiltered) {
  std::vector<UsageRow> rows;
  for (int64_t i = 0; i < 12; ++i) {
    UsageRow& r = rows.emplace_back(row_at(now_ + i * 1000, i));
    r.key = base::ApiKeyId{1 + i % 2};
    r.model = i % 3 == 0 ? "model-b" : "model-a";
    if (i % 4 == 0) r.outcome = Outcome::rejected;
  }
  store(rows);
  const struct {
    std::string query;
    size_t found;
  } cases[] = {
      {"key_id=2", 6},
      {"key_id=9", 0},
      {"model=model-b", 4},
      {"outcome=rejected", 3},
      {"outcome=rejected&model=model-b&key_id=1", 1},
      {"from=" + std::to_string(now_ + 3000), 9},
      {"to=" + std::to_string(now_ + 3000), 3},
      {"from=" + std::to_string(now_ + 1000) + "&to=" + std::to_string(now_ + 2000), 1},
      {"from=99999999999999999", 0},
  };
  for (const auto& c : cases) {
    const Reply page = get(ada_, std::string(kRequests) + "?" + c.query);
    ASSERT_EQ(page.status, 200) << page.raw;
    EXPECT_EQ(page.data().at("items").as_array().size(), c.found) << c.query;
    EXPECT_TRUE(page.data().at("next_cursor").is_null()) << c.query;
    const Reply all = get(admin_, "/api/v1/admin/usage/requests?" + c.query);
    EXPECT_EQ(all.data().at("items").as_array().size(), c.found) << c.query;
  }
}

TEST_P(Usage, BadQueriesNameTheParameter) {
  const struct {
    const char* path;
    const char* param;
  } cases[] = {
      {"consumption?from=yesterday", "from"},
      {"consumption?from=2027-01-16&to=2027-01-15", "from"},
      {"consumption?from=2020-01-01", "from"},
      {"consumption?group_by=user", "group_by"},
      {"consumption?key_id=x", "key_id"},
      {"consumption?page=0", "page"},
      {"summary?format=xml", "format"},
      {"summary?format=csv&to=never", "to"},
      {"requests?from=yesterday", "from"},
      {"requests?outcome=lost", "outcome"},
      {"requests?cursor=12", "cursor"},
      {"requests?format=csv&cursor=12", "cursor"},
      {"requests?page_size=101", "page_size"},
  };
  for (const auto& c : cases) {
    const Reply reply = get(ada_, std::string("/api/v1/usage/") + c.path);
    EXPECT_EQ(reply.status, 400) << c.path << reply.raw;
    EXPECT_EQ(reply.param(), c.param) << c.path << reply.raw;
  }
  EXPECT_EQ(get(ada_, "/api/v1/usage/requests?format=csv&model=%ff").status, 400);
  EXPECT_EQ(get(admin_, "/api/v1/admin/usage/summary?user_id=me").param(), "user_id");
}

TEST_P(Usage, ExportsAreCsv) {
  UsageRow odd = row(10);
  odd.model = "=cmd(\"a,b\")";
  odd.bill.charged = base::Money::units(1);
  store({odd});
  const Reply models = get(ada_, "/api/v1/usage/consumption?group_by=model&format=csv");
  ASSERT_EQ(models.status, 200) << models.raw;
  EXPECT_NE(models.head.find("Content-Type: text/csv"), std::string::npos) << models.head;
  EXPECT_NE(models.head.find("attachment; filename=\"usage-by-model.csv\""), std::string::npos);
  EXPECT_NE(models.head.find("X-Content-Type-Options: nosniff"), std::string::npos);
  EXPECT_EQ(models.raw,
            "model,requests,prompt_tokens,input_tokens,cached_tokens,cache_write_tokens,"
            "completion_tokens,reasoning_tokens,total_tokens,cost_yuan\r\n"
            "\"'=cmd(\"\"a,b\"\")\",1,10,10,0,0,1,0,11,0.0000000001\r\n");
  const Reply sum = get(ada_, "/api/v1/usage/summary?format=csv");
  EXPECT_NE(sum.raw.find("\r\n2026-12-17,2027-01-15,1,10,"), std::string::npos) << sum.raw;
  const Reply requests = get(ada_, std::string(kRequests) + "?format=csv");
  EXPECT_NE(requests.raw.find(odd.request_id.to_string()), std::string::npos) << requests.raw;
  EXPECT_NE(requests.raw.find(",1,\"'=cmd(\"\"a,b\"\")\",\"'=cmd(\"\"a,b\"\")\",chat_completions,"),
            std::string::npos);
  const Reply none = get(bob_, std::string(kRequests) + "?format=csv");
  EXPECT_EQ(std::ranges::count(none.raw, '\n'), 1) << none.raw;  // the names of the columns
}

// More than one page of the store: all of it comes, once.
TEST_P(Usage, ALongExportIsWhole) {
  std::vector<UsageRow> rows;
  for (int64_t i = 0; i < 2'100; ++i) rows.push_back(row_at(now_ + i, i));
  store(rows);
  const Reply all = get(ada_, std::string(kRequests) + "?format=csv");
  ASSERT_EQ(all.status, 200);
  std::set<std::string_view> ids;
  for (const std::string_view line : base::split(all.raw, '\n')) {
    if (line.size() > 36) ids.insert(line.substr(0, 36));
  }
  EXPECT_EQ(ids.size(), 2'101u);  // and the names of the columns
  EXPECT_EQ(std::ranges::count(all.raw, '\n'), 2'101);
}

}  // namespace
}  // namespace deeppool::api_contract
