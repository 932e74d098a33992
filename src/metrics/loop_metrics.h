// LoopMetrics: everything that one event loop counts. Owned by Metrics, written by its loop only,
// read by scrapes from any thread. A new figure is a member here and a line in metrics.cc.
// Label values are ours (routes, registered models, kinds of providers, enumerators), never a
// caller's words, keys or ids.
#pragma once

#include <array>

#include "metrics/cells.h"
#include "metrics/labeled.h"

namespace deeppool::metrics {

enum class TokenType { input, cached, cache_write, output, reasoning };
inline constexpr size_t kTokenTypes = 5;

// One per HTTP route.
struct RouteSeries {
  // By the first digit of the status; 0: the caller left before an answer.
  std::array<Counter, 6> by_status_class;
  Histogram duration{kRequestBounds};
};

// One per endpoint ("chat", "embeddings"), model and kind of provider.
struct ModelSeries {
  std::array<Counter, 6> by_status_class;
  Histogram duration{kRequestBounds};
  Histogram first_token{kRequestBounds};
  std::array<Counter, kTokenTypes> tokens;
  Counter charged_units;  // of 10^-10 yuan
  Counter odd_counts;     // answers whose upstream's token counts are far from ours

  void count_tokens(TokenType type, int64_t n) {
    if (n > 0) tokens[static_cast<size_t>(type)].add(static_cast<uint64_t>(n));
  }
};

struct ShortHistogram : Histogram {
  ShortHistogram() : Histogram(kShortBounds) {}
};

struct LoopMetrics {
  Labeled<RouteSeries, 1> routes;             // route
  Labeled<ModelSeries, 3> models;             // endpoint, model, provider
  Labeled<ShortHistogram, 1> overhead;        // endpoint: time of a request that was ours
  Labeled<Counter, 2> upstream_requests;      // provider, outcome
  Labeled<Counter, 1> retries;                // outcome: sent, refused (the budget is used up)
  Labeled<Counter, 1> endpoints_passed_over;  // reason
  Labeled<Counter, 1> hedges;                 // outcome: won, lost, failed, refused
  Labeled<Counter, 1> ratelimit_rejected;     // scope: rpm, tpm, quota, balance
  Labeled<Counter, 1> errors;                 // code, as base::to_string says
  Gauge inflight;                             // requests between head and end of answer
};

// 200 -> 2; 0 and everything odd -> 0.
constexpr size_t status_class(int status) {
  return status >= 100 && status < 600 ? static_cast<size_t>(status / 100) : 0;
}

}  // namespace deeppool::metrics
