// Looks whether endpoints whose ejection is over live again, by GET <base>/models, so that one
// without traffic comes back and a dead one costs no caller's patience. Health is each process's
// own, so every process looks for itself. On one loop.
#pragma once

#include "async/blocking_pool.h"
#include "async/cancel.h"
#include "async/task.h"
#include "base/clock.h"
#include "base/random.h"
#include "http/client/client.h"
#include "provider/catalog.h"

namespace deeppool::jobs {

// Two looks at most after an ejection's end before it counts as back (see provider/limits.h).
inline constexpr std::chrono::seconds kProbeInterval{1};
// A list of models takes a second; who needs longer would be no help.
inline constexpr std::chrono::seconds kProbeTimeout{5};
// At once, so that a dead fleet costs no more descriptors than that.
inline constexpr size_t kMaxProbes = 32;

// All of it outlives the job.
struct ProbeParts {
  const provider::CatalogDirectory& catalog;
  async::BlockingPool& lookups;
  http::TlsContexts& contexts;
  const http::Proxy& proxy;
  const base::Clock& clock;
  base::Random& random;
};

// Until `scope` is cancelled.
Task<void> probe_endpoints(ProbeParts parts, async::CancelScope& scope);
// One pass of it: asks all that want it now, and waits for that.
Task<void> probe_pass(const ProbeParts& parts, http::Client& client, async::CancelScope& scope);

}  // namespace deeppool::jobs
