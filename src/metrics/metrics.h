// Metrics: the figures of one program, for Prometheus. Owned by services; one LoopMetrics per event
// loop, written without contention and summed when somebody scrapes. scrape() takes milliseconds
// with many series: run it on a blocking pool.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "metrics/exposition.h"
#include "metrics/loop_metrics.h"

namespace deeppool::metrics {

class Metrics {
 public:
  Metrics(size_t loops, std::string version, const base::Clock& clock);

  LoopMetrics& loop(size_t index) { return *loops_[index]; }
  // Statements and commits, from the threads of blocking pools: use observe_shared.
  Histogram& db_queries() { return db_queries_; }

  // Figures that live elsewhere, read at every scrape on the scraping thread: `read` must be safe
  // there and cheap. Only before the first scrape. `name` without the prefix "deeppool_".
  void add_gauge(std::string name, std::string help, std::function<double()> read);
  void add_counter(std::string name, std::string help, std::function<double()> read);
  // The same for families with labels; `write` bounds them itself (kMaxSeries).
  void add_families(std::function<void(Exposition&)> write);

  // Requests between head and end of answer, over all loops. Any thread.
  int64_t in_flight() const;
  // Prometheus text. Any thread.
  std::string scrape() const;

 private:
  struct Outside {
    std::string name;
    std::string help;
    bool counter;
    std::function<double()> read;
  };
  const std::string version_;
  const base::WallTime started_;
  std::vector<std::unique_ptr<LoopMetrics>> loops_;
  Histogram db_queries_{kShortBounds};
  std::vector<Outside> outside_;
  std::vector<std::function<void(Exposition&)>> families_;
};

inline constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace deeppool::metrics
