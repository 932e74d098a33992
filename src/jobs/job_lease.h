// By which one of the programs on a database does a job: its row of job_leases says who, until when
// by the database's clock, and in an epoch that grows with every change of hands. A value;
// blocking: for pools. Invariant: of all programs that ask, one is told yes until its time is over;
// each job is right all the same if two should run it (the old holder may still be at it).
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "sql/database.h"

namespace deeppool::jobs {

class JobLease {
 public:
  // `database` outlives it; `holder` names this program and no other. `life` is longer than the
  // job's interval and one run of it; so long nobody does the job when its holder has died.
  JobLease(sql::Database& database, std::string_view job, std::string holder, base::Duration life);

  // Takes it if nobody has it, or keeps it for another `life`. False: another program has it.
  Result<bool> hold() const;

 private:
  sql::Database& database_;
  std::string job_;
  std::string holder_;
  int64_t life_ms_;
};

}  // namespace deeppool::jobs
