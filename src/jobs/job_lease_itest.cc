#include <gtest/gtest.h>

#include "jobs/job_lease.h"
#include "testing/databases.h"

namespace deeppool::jobs {
namespace {

class JobLeaseTest : public testing::DatabaseTest {
 protected:
  JobLease of(std::string holder) {
    return JobLease(database(), "sweep", std::move(holder), std::chrono::minutes(1));
  }
  int64_t epoch() {
    return *database().read()->query_value<int64_t>("SELECT epoch FROM job_leases");
  }
  // As if the holder had been silent for that long.
  void wait(std::chrono::milliseconds time) {
    const auto done = database().write()->execute(
        "UPDATE job_leases SET expires_at = expires_at - ?", time.count());
    ASSERT_TRUE(done) << done.error().detail;
  }
};
DEEPPOOL_EACH_DATABASE(JobLeaseTest);

TEST_P(JobLeaseTest, OneHoldsItUntilItsTimeIsOver) {
  JobLease ours = of("a"), theirs = of("b");
  EXPECT_TRUE(*ours.hold());
  EXPECT_FALSE(*theirs.hold());
  wait(std::chrono::seconds(40));
  EXPECT_TRUE(*ours.hold());  // for another minute
  wait(std::chrono::seconds(40));
  EXPECT_FALSE(*theirs.hold());
  wait(std::chrono::seconds(21));
  EXPECT_TRUE(*theirs.hold());
  EXPECT_FALSE(*ours.hold());
  EXPECT_EQ(epoch(), 2);
}

TEST_P(JobLeaseTest, ARestartedHolderGoesOnAndOtherJobsAreTheirOwn) {
  EXPECT_TRUE(*of("a").hold());
  JobLease again = of("a");
  EXPECT_TRUE(*again.hold());
  EXPECT_EQ(epoch(), 1);
  JobLease other(database(), "alerts", "b", std::chrono::minutes(1));
  EXPECT_TRUE(*other.hold());
}

}  // namespace
}  // namespace deeppool::jobs
