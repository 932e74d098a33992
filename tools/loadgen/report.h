// Report: what a run has measured, as JSON and as a few lines for people.
#pragma once

#include <optional>
#include <string>

#include "loadgen/exchange.h"
#include "loadgen/histogram.h"
#include "loadgen/process.h"
#include "loadgen/settings.h"

namespace deeppool::load {

struct Report {
  // Counted between the end of the warm-up and the end of the measured time.
  double seconds = 0;
  int64_t completed = 0;
  int64_t failed = 0;  // refused, broken, unfinished, or a status of 400 and above
  int64_t aborted = 0;
  int64_t events = 0;
  int64_t bytes = 0;
  int64_t statuses[6] = {};  // by hundreds; 0: none
  // Over the whole run.
  int64_t retries = 0;
  int64_t foreign_nonces = 0;
  int64_t missing_nonces = 0;  // completed answers without their own
  int64_t no_usage = 0;        // completed answers with status 200 that do not say their usage
  int64_t idle_lost = 0;       // idle connections that the server closed
  int64_t late_starts = 0;     // open loop: no connection was free at the intended time
  Histogram latency;           // from the intended start to the last byte
  Histogram service;           // from the first byte sent to the last received
  Histogram first_event;       // from the intended start
  Histogram gap;               // between two events of one stream
  std::optional<ProcessUse> before;
  std::optional<ProcessUse> after;

  void add(const Exchange& exchange);
  std::string to_json() const;
  std::string to_text() const;
};

}  // namespace deeppool::load
