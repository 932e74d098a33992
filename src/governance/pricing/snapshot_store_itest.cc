#include <gtest/gtest.h>

#include "governance/pricing/snapshot_store.h"
#include "testing/databases.h"

namespace deeppool::governance {
namespace {

class SnapshotStore : public testing::DatabaseTest {
 protected:
  static PriceTiers tiers(const std::string& input) {
    auto read = read_price_tiers(R"([{"input_price":")" + input + R"(","output_price":8}])", "t");
    EXPECT_TRUE(read.ok());
    return *read;
  }
  Result<void> ensure(const PriceTiers& list) {
    const snapshots::Listed listed[] = {{&list, 5}};
    return snapshots::ensure(database(), listed);
  }
  int64_t stored() {
    return *(*database().read()).query_value<int64_t>("SELECT COUNT(*) FROM price_snapshots");
  }
};
DEEPPOOL_EACH_DATABASE(SnapshotStore);

TEST_P(SnapshotStore, KeepsEveryListOnceUnderTheIdOfWhatItSays) {
  const PriceTiers two = tiers("2");
  const PriceTiers same =
      *read_price_tiers(R"([{"input_price":2.0,"output_price":8,"cached_price":"0.4"}])", "t");
  EXPECT_EQ(price_id(two), price_id(same));  // stated or derived, it is charged alike
  const PriceTiers three = tiers("3");
  ASSERT_NE(price_id(two), price_id(three));
  const snapshots::Listed all[] = {{&two, 1}, {&three, 2}, {&same, 3}};
  ASSERT_TRUE(snapshots::ensure(database(), all).ok());
  ASSERT_TRUE(ensure(two).ok());
  ASSERT_TRUE(ensure({}).ok());  // free
  EXPECT_EQ(stored(), 3);
  auto reader = *database().read();
  const auto loaded = snapshots::load(reader, price_id(same));
  ASSERT_TRUE(loaded.ok()) << loaded.error().detail;
  EXPECT_EQ(loaded->front().prices, two.front().prices);
  EXPECT_EQ(snapshots::load(reader, base::PriceId{1}).error().code, ErrorCode::not_found);
}

TEST_P(SnapshotStore, ARowThatSaysSomethingElseIsNoPrice) {
  const PriceTiers two = tiers("2");
  ASSERT_TRUE(ensure(two).ok());
  ASSERT_TRUE((*database().write())
                  .execute("UPDATE price_snapshots SET tiers = '[]' WHERE id = ?", price_id(two))
                  .ok());
  auto reader = *database().read();
  EXPECT_EQ(snapshots::load(reader, price_id(two)).error().code, ErrorCode::internal);
}

}  // namespace
}  // namespace deeppool::governance
