// What the kernel knows about this process, under the names that every Prometheus client uses.
// Linux; reads /proc.
#pragma once

#include "base/clock.h"
#include "metrics/exposition.h"

namespace deeppool::metrics {

void write_process_metrics(Exposition& out, base::WallTime started);

}  // namespace deeppool::metrics
