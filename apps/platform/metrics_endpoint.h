// GET /metrics for Prometheus. Figures tell about business, so not for everyone: with a token, only
// who brings it; without, only scrapers on this machine that no proxy stands in for.
#pragma once

#include <string>

#include "async/blocking_pool.h"
#include "http/server/router.h"
#include "metrics/metrics.h"

namespace deeppool::platform {

// `metrics` and `pool` outlive the route; the text is made on the pool, off the loop.
http::Route metrics_route(const metrics::Metrics& metrics, async::BlockingPool& pool,
                          const std::string& token);

}  // namespace deeppool::platform
