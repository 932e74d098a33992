#include <gtest/gtest.h>

#include <algorithm>

#include "governance/applier/crash_world.h"
#include "governance/usage/usage_store.h"
#include "testing/databases.h"

namespace deeppool::governance {
namespace {

constexpr int64_t kDayMs = 86'400'000;
constexpr int64_t kFirstDay = 20'000;

struct Request {
  int64_t day;
  int64_t user;
  int64_t key;
  const char* model;
  int64_t tokens;  // prompt; half as many completion, a quarter cached, a tenth reasoning
};

class UsageStoreTest : public testing::DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (IsSkipped()) return;
    add_user_with_two_keys(database());
    store_.emplace(database(), numbered_request(99));
    const Request requests[] = {
        {0, 1, 1, "a", 100}, {0, 1, 1, "a", 100},  {0, 1, 2, "b", 1000}, {1, 1, 1, "b", 40},
        {2, 1, 2, "a", 20},  {0, 2, 3, "a", 7000}, {2, 2, 3, "c", 500},
    };
    std::vector<UsageRow> rows;
    for (const Request& r : requests) {
      UsageRow row;
      row.request_id = numbered_request(static_cast<int64_t>(rows.size()));
      row.user = base::UserId{r.user};
      row.key = base::ApiKeyId{r.key};
      row.model = r.model;
      row.started_at_ms = (kFirstDay + r.day) * kDayMs + kDayMs - 1;
      row.usage = {r.tokens, r.tokens / 2, r.tokens / 4, 0, r.tokens / 10};
      rows.push_back(row);
    }
    ASSERT_TRUE(store_->apply(rows, {}).ok());
  }
  UsageFilter days(int64_t from, int64_t to) const {
    UsageFilter f;
    f.from_day = kFirstDay + from;
    f.to_day = kFirstDay + to;
    return f;
  }
  UsageFilter of_user(int64_t user) const {
    UsageFilter f = days(0, 2);
    f.user = base::UserId{user};
    return f;
  }
  UsageStore& store() { return *store_; }

 private:
  std::optional<UsageStore> store_;
};
DEEPPOOL_EACH_DATABASE(UsageStoreTest);

TEST_P(UsageStoreTest, SummaryOfAUserAndOfAll) {
  const auto mine = store().summary(of_user(1));
  ASSERT_TRUE(mine.ok()) << mine.error().detail;
  EXPECT_EQ(mine->requests, 5);
  EXPECT_EQ(mine->prompt_tokens, 1260);
  EXPECT_EQ(mine->completion_tokens, 630);
  EXPECT_EQ(mine->cached_tokens, 315);
  EXPECT_EQ(mine->reasoning_tokens, 126);
  EXPECT_EQ(store().summary(days(0, 2))->prompt_tokens, 8760);
  EXPECT_EQ(store().summary(days(1, 1))->prompt_tokens, 40);
  EXPECT_EQ(store().summary(of_user(7))->requests, 0);
}

TEST_P(UsageStoreTest, FiltersByKeyAndModel) {
  UsageFilter f = of_user(1);
  f.key = base::ApiKeyId{1};
  EXPECT_EQ(store().summary(f)->prompt_tokens, 240);
  f.model = "b";
  EXPECT_EQ(store().summary(f)->prompt_tokens, 40);
  f.key.reset();
  EXPECT_EQ(store().summary(f)->prompt_tokens, 1040);
  f.user.reset();
  f.model = "a";
  EXPECT_EQ(store().summary(f)->prompt_tokens, 7220);
}

TEST_P(UsageStoreTest, AnotherUsersKeyShowsNothing) {
  UsageFilter f = of_user(1);
  f.key = base::ApiKeyId{3};
  EXPECT_EQ(store().summary(f)->requests, 0);
  EXPECT_EQ(store().consumption(f, GroupBy::day, {})->total, 0);
}

TEST_P(UsageStoreTest, ConsumptionByDayNewestFirst) {
  const auto page = store().consumption(of_user(1), GroupBy::day, {.number = 1, .size = 2});
  ASSERT_TRUE(page.ok()) << page.error().detail;
  EXPECT_EQ(page->total, 3);
  ASSERT_EQ(page->rows.size(), 2u);
  EXPECT_EQ(page->rows[0].day, kFirstDay + 2);
  EXPECT_EQ(page->rows[1].day, kFirstDay + 1);
  const auto rest = store().consumption(of_user(1), GroupBy::day, {.number = 2, .size = 2});
  ASSERT_EQ(rest->rows.size(), 1u);
  EXPECT_EQ(rest->rows[0].totals.requests, 3);
  EXPECT_EQ(rest->rows[0].totals.prompt_tokens, 1200);
  EXPECT_EQ(store().consumption(of_user(1), GroupBy::day, {.number = 9, .size = 2})->total, 3);
}

TEST_P(UsageStoreTest, ConsumptionByModelAndKeyLargestFirst) {
  const auto models = store().consumption(days(0, 2), GroupBy::model, {});
  ASSERT_TRUE(models.ok()) << models.error().detail;
  ASSERT_EQ(models->rows.size(), 3u);
  EXPECT_EQ(models->rows[0].model, "a");
  EXPECT_EQ(models->rows[1].model, "b");
  EXPECT_EQ(models->rows[2].model, "c");
  const auto keys = store().consumption(of_user(1), GroupBy::key, {});
  ASSERT_TRUE(keys.ok()) << keys.error().detail;
  ASSERT_EQ(keys->rows.size(), 2u);
  EXPECT_EQ(keys->rows[0].key, base::ApiKeyId{2});
  EXPECT_EQ(keys->rows[0].totals.prompt_tokens, 1020);
}

TEST_P(UsageStoreTest, EverybodysSumsAreTheSumsOfTheUsers) {
  const auto users = store().consumption(days(0, 2), GroupBy::user, {});
  ASSERT_TRUE(users.ok()) << users.error().detail;
  ASSERT_EQ(users->rows.size(), 2u);
  for (const ConsumptionRow& row : users->rows) {
    EXPECT_EQ(row.totals.prompt_tokens, store().summary(of_user(row.user.value))->prompt_tokens);
    EXPECT_EQ(row.totals.requests, store().summary(of_user(row.user.value))->requests);
  }
  const auto keys = store().consumption(days(0, 0), GroupBy::key, {});
  ASSERT_EQ(keys->rows.size(), 3u);
  EXPECT_EQ(keys->rows[0].totals.prompt_tokens, 7000);
  const auto sources = store().consumption(days(0, 2), GroupBy::source, {});
  ASSERT_EQ(sources->rows.size(), 1u);
  EXPECT_EQ(sources->rows[0].totals.prompt_tokens, 8760);
  // By the detailed days when the roll-up cannot tell.
  UsageFilter f = days(0, 2);
  f.model = "a";
  const auto of_model = store().consumption(f, GroupBy::user, {});
  ASSERT_EQ(of_model->rows.size(), 2u);
  EXPECT_EQ(of_model->rows[1].totals.prompt_tokens, 220);
}

// On every day a request more than the day before, over four weeks and a bit.
TEST_P(UsageStoreTest, EverybodysSumsAreRightWhateverDaysAreAskedFor) {
  constexpr int64_t kBegin = 3, kDays = 30;
  std::vector<UsageRow> rows;
  for (int64_t day = kBegin; day < kBegin + kDays; ++day) {
    for (int64_t i = 0; i <= day; ++i) {
      UsageRow row;
      row.request_id = numbered_request(1000 + static_cast<int64_t>(rows.size()));
      row.user = base::UserId{1};
      row.key = base::ApiKeyId{1};
      row.started_at_ms = day * kDayMs;
      rows.push_back(row);
    }
  }
  ASSERT_TRUE(store().apply(rows, {}).ok());
  for (int64_t from = -9; from < kBegin + kDays; ++from) {
    int64_t expected = 0;
    for (int64_t to = from; to < kBegin + kDays + 9; ++to) {
      if (to >= kBegin && to < kBegin + kDays) expected += to + 1;
      UsageFilter f;
      f.from_day = from;
      f.to_day = to;
      const auto page = store().consumption(f, from % 2 == 0 ? GroupBy::key : GroupBy::user, {});
      ASSERT_TRUE(page.ok()) << page.error().detail;
      const int64_t got = page->rows.empty() ? 0 : page->rows[0].totals.requests;
      ASSERT_EQ(got, expected) << from << " to " << to;
    }
  }
}

TEST_P(UsageStoreTest, AKeyIsFoundWithoutItsOwner) {
  UsageFilter f = days(0, 2);
  f.key = base::ApiKeyId{3};
  EXPECT_EQ(store().summary(f)->prompt_tokens, 7500);
  EXPECT_EQ(store().consumption(f, GroupBy::day, {})->total, 2);
  f.key = base::ApiKeyId{99};
  EXPECT_EQ(store().summary(f)->requests, 0);
}

TEST_P(UsageStoreTest, PagesAreBounded) {
  const auto page =
      store().consumption(of_user(1), GroupBy::day, {.number = -5, .size = 1'000'000});
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->rows.size(), 3u);
}

TEST_P(UsageStoreTest, CursorsComeBack) {
  const SpoolCursor cursors[] = {{0, 5, 640}, {9999, 7, 64}};
  ASSERT_TRUE(store().apply({}, cursors).ok());
  const SpoolCursor later[] = {{0, 6, 128}};
  ASSERT_TRUE(store().apply({}, later).ok());
  auto back = store().cursors();
  ASSERT_TRUE(back.ok());
  ASSERT_EQ(back->size(), 2u);
  std::sort(back->begin(), back->end(), [](auto& a, auto& b) { return a.loop < b.loop; });
  EXPECT_EQ(back->at(0).segment, 6);
  EXPECT_EQ(back->at(0).position, 128);
  EXPECT_EQ(back->at(1).loop, 9999);
  UsageStore other(database(), numbered_request(100));
  EXPECT_TRUE(other.cursors()->empty());
}

TEST(UsageDay, IsTheDayInUtc) {
  EXPECT_EQ(usage_day(0), 0);
  EXPECT_EQ(usage_day(kDayMs - 1), 0);
  EXPECT_EQ(usage_day(kDayMs), 1);
  EXPECT_EQ(usage_day(-1), -1);
  EXPECT_EQ(usage_day(-kDayMs), -1);
}

}  // namespace
}  // namespace deeppool::governance
