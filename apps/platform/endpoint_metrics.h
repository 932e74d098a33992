// How endpoints do, for Prometheus: read from their health at every scrape, on the scraping thread.
#pragma once

#include "base/clock.h"
#include "metrics/exposition.h"
#include "provider/catalog.h"

namespace deeppool::platform {

// Labels are the endpoints' names, as administrators gave them; at most metrics::kMaxSeries.
void write_endpoint_metrics(metrics::Exposition& out, const provider::Catalog& catalog,
                            base::Instant now);

}  // namespace deeppool::platform
