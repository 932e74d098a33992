#include <gtest/gtest.h>

#include "governance/applier/crash_world.h"
#include "governance/limits.h"
#include "governance/usage/request_log.h"
#include "testing/databases.h"

namespace deeppool::governance {
namespace {

class RequestLogTest : public testing::DatabaseTest {};
DEEPPOOL_EACH_DATABASE(RequestLogTest);

// One model is in the oldest request only: every page looks through a bounded number of requests,
// and following the cursor finds it.
TEST_P(RequestLogTest, ARareMatchIsFoundInBoundedSteps) {
  const int64_t kRows = kMaxRequestsLookedThrough + 10;
  std::vector<UsageRow> rows(static_cast<size_t>(kRows));
  for (int64_t i = 0; i < kRows; ++i) {
    UsageRow& row = rows[static_cast<size_t>(i)];
    row.request_id = numbered_request(i);
    row.user = base::UserId{1};
    row.key = base::ApiKeyId{1};
    row.model = i == 0 ? "rare" : "common";
  }
  ASSERT_TRUE(UsageStore(database(), numbered_request(0)).apply(rows, {}).ok());
  auto reader = *database().read();
  for (const bool by_user : {false, true}) {
    RequestFilter filter;
    filter.model = "rare";
    if (by_user) filter.user = base::UserId{1};
    const auto first = list_requests(reader, filter, std::nullopt, 20);
    ASSERT_TRUE(first.ok()) << first.error().detail;
    EXPECT_TRUE(first->entries.empty());
    ASSERT_TRUE(first->next.has_value());
    const auto second = list_requests(reader, filter, first->next, 20);
    ASSERT_TRUE(second.ok()) << second.error().detail;
    ASSERT_EQ(second->entries.size(), 1u);
    EXPECT_EQ(second->entries[0].model, "rare");
    EXPECT_FALSE(second->next.has_value());
  }
}

TEST_P(RequestLogTest, AFullPageAtTheEndHasNoNextOne) {
  std::vector<UsageRow> rows(4);
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i].request_id = numbered_request(static_cast<int64_t>(i));
    rows[i].user = base::UserId{1};
  }
  ASSERT_TRUE(UsageStore(database(), numbered_request(0)).apply(rows, {}).ok());
  auto reader = *database().read();
  const auto page = list_requests(reader, {}, std::nullopt, 4);
  ASSERT_TRUE(page.ok()) << page.error().detail;
  EXPECT_EQ(page->entries.size(), 4u);
  EXPECT_FALSE(page->next.has_value());
}

}  // namespace
}  // namespace deeppool::governance
