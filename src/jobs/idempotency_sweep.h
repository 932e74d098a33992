// Deletes answers that were kept for callers' Idempotency-Keys when their day is over. One per
// program, on one loop; of several programs on one database the holder of `lease` does it.
#pragma once

#include "async/blocking_pool.h"
#include "async/cancel.h"
#include "async/task.h"
#include "idempotency/book.h"
#include "jobs/job_lease.h"

namespace deeppool::jobs {

// Until `scope` is cancelled; `book` and `pool` outlive it.
Task<void> sweep_idempotency_keys(idempotency::Book& book, JobLease lease,
                                  async::BlockingPool& pool, async::CancelScope& scope);

}  // namespace deeppool::jobs
