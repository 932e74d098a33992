// Deletes answers that were kept for callers' Idempotency-Keys when their day is over. One per
// program, on one loop; several programs on one database do not disturb each other.
#pragma once

#include "async/blocking_pool.h"
#include "async/cancel.h"
#include "async/task.h"
#include "idempotency/book.h"

namespace deeppool::jobs {

// Until `scope` is cancelled; `book` and `pool` outlive it.
Task<void> sweep_idempotency_keys(idempotency::Book& book, async::BlockingPool& pool,
                                  async::CancelScope& scope);

}  // namespace deeppool::jobs
