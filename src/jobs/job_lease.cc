#include "jobs/job_lease.h"

namespace deeppool::jobs {

JobLease::JobLease(sql::Database& database, std::string_view job, std::string holder,
                   base::Duration life)
    : database_(database),
      job_(job),
      holder_(std::move(holder)),
      life_ms_(std::chrono::duration_cast<std::chrono::milliseconds>(life).count()) {}

Result<bool> JobLease::hold() const {
  DP_TRY(auto writer, database_.write());
  DP_CHECK(writer.insert_if_absent(
      "INSERT INTO job_leases (job, holder, epoch, expires_at) VALUES (?, '', 0, 0)", job_));
  DP_TRY(
      const sql::Outcome taken,
      writer.execute("UPDATE job_leases SET epoch = epoch + CASE WHEN holder = ? THEN 0 ELSE 1 END,"
                     " holder = ?, expires_at = {now_ms} + ? WHERE job = ?"
                     " AND (holder = ? OR expires_at <= {now_ms})",
                     holder_, holder_, life_ms_, job_, holder_));
  return taken.affected == 1;
}

}  // namespace deeppool::jobs
