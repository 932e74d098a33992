#include "metrics/metrics.h"

#include <map>

#include "metrics/exposition.h"
#include "metrics/process.h"

namespace deeppool::metrics {
namespace {

using Type = Exposition::Type;
using Loops = std::vector<std::unique_ptr<LoopMetrics>>;

constexpr std::string_view kStatusClasses[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
constexpr std::string_view kTokenNames[] = {"input", "cached", "cache_write", "output",
                                            "reasoning"};
static_assert(std::size(kTokenNames) == kTokenTypes);

// The same label set over all loops.
template <class Totals, size_t N, class Cell, class Add>
std::map<LabelValues<N>, Totals> sum(const Loops& loops, Labeled<Cell, N> LoopMetrics::* family,
                                     Add add) {
  std::map<LabelValues<N>, Totals> out;
  for (const auto& loop : loops) {
    ((*loop).*family).each([&](const auto& series) { add(out[series.labels], series.cell); });
  }
  return out;
}

template <size_t N>
std::vector<Label> labels_of(const std::array<std::string_view, N>& names,
                             const LabelValues<N>& values) {
  std::vector<Label> out;
  for (size_t i = 0; i < N; ++i) out.emplace_back(names[i], values[i]);
  return out;
}

struct RouteTotals {
  std::array<uint64_t, 6> by_status_class{};
  HistogramTotals duration;
  void add(const RouteSeries& s) {
    for (size_t i = 0; i < 6; ++i) by_status_class[i] += s.by_status_class[i].value();
    duration.add(s.duration);
  }
};

struct ModelTotals {
  std::array<uint64_t, 6> by_status_class{};
  HistogramTotals duration;
  HistogramTotals first_token;
  std::array<uint64_t, kTokenTypes> tokens{};
  uint64_t charged_units = 0;
  uint64_t odd_counts = 0;
  void add(const ModelSeries& s) {
    for (size_t i = 0; i < 6; ++i) by_status_class[i] += s.by_status_class[i].value();
    duration.add(s.duration);
    first_token.add(s.first_token);
    for (size_t i = 0; i < kTokenTypes; ++i) tokens[i] += s.tokens[i].value();
    charged_units += s.charged_units.value();
    odd_counts += s.odd_counts.value();
  }
};

// One line per status class that occurred.
void write_status_classes(Exposition& out, std::vector<Label> labels,
                          const std::array<uint64_t, 6>& counts) {
  labels.emplace_back("status_class", "");
  for (size_t i = 0; i < counts.size(); ++i) {
    labels.back().second = kStatusClasses[i];
    if (counts[i] > 0) out.sample(labels, counts[i]);
  }
}

void write_routes(Exposition& out, const Loops& loops) {
  static constexpr std::array<std::string_view, 1> kNames = {"route"};
  const auto totals = sum<RouteTotals>(loops, &LoopMetrics::routes,
                                       [](RouteTotals& t, const RouteSeries& s) { t.add(s); });
  out.family("deeppool_http_requests_total", Type::counter, "HTTP requests by route.");
  for (const auto& [values, t] : totals) {
    write_status_classes(out, labels_of(kNames, values), t.by_status_class);
  }
  out.family("deeppool_http_request_duration_seconds", Type::histogram,
             "From the request's head to the end of the answer.");
  for (const auto& [values, t] : totals) {
    out.histogram(labels_of(kNames, values), kRequestBounds, t.duration);
  }
}

void write_models(Exposition& out, const Loops& loops) {
  static constexpr std::array<std::string_view, 3> kNames = {"endpoint", "model", "provider"};
  const auto totals = sum<ModelTotals>(loops, &LoopMetrics::models,
                                       [](ModelTotals& t, const ModelSeries& s) { t.add(s); });
  out.family("deeppool_requests_total", Type::counter, "Model calls.");
  for (const auto& [values, t] : totals) {
    write_status_classes(out, labels_of(kNames, values), t.by_status_class);
  }
  out.family("deeppool_request_duration_seconds", Type::histogram, "Whole model calls.");
  for (const auto& [values, t] : totals) {
    out.histogram(labels_of(kNames, values), kRequestBounds, t.duration);
  }
  out.family("deeppool_time_to_first_token_seconds", Type::histogram,
             "From the request to the first byte of a streamed answer.");
  for (const auto& [values, t] : totals) {
    out.histogram(labels_of(kNames, values), kRequestBounds, t.first_token);
  }
  out.family("deeppool_tokens_total", Type::counter, "Tokens by type; input includes cached.");
  for (const auto& [values, t] : totals) {
    std::vector<Label> labels = labels_of(kNames, values);
    labels.emplace_back("type", "");
    for (size_t i = 0; i < kTokenTypes; ++i) {
      labels.back().second = kTokenNames[i];
      if (t.tokens[i] > 0) out.sample(labels, t.tokens[i]);
    }
  }
  out.family("deeppool_charged_units_total", Type::counter,
             "What callers were charged, in units of 10^-10 yuan.");
  for (const auto& [values, t] : totals) {
    if (t.charged_units > 0) out.sample(labels_of(kNames, values), t.charged_units);
  }
  out.family("deeppool_odd_token_counts_total", Type::counter,
             "Answers whose upstream's token counts are far from our own.");
  for (const auto& [values, t] : totals) {
    if (t.odd_counts > 0) out.sample(labels_of(kNames, values), t.odd_counts);
  }
}

void write_overhead(Exposition& out, const Loops& loops) {
  static constexpr std::array<std::string_view, 1> kNames = {"endpoint"};
  const auto totals = sum<HistogramTotals>(
      loops, &LoopMetrics::overhead, [](HistogramTotals& t, const ShortHistogram& h) { t.add(h); });
  out.family("deeppool_overhead_seconds", Type::histogram,
             "The part of a model call that was ours, not the upstream's.");
  for (const auto& [values, t] : totals) {
    out.histogram(labels_of(kNames, values), kShortBounds, t);
  }
}

template <size_t N>
void write_counters(Exposition& out, const Loops& loops, Labeled<Counter, N> LoopMetrics::* family,
                    const std::array<std::string_view, N>& names) {
  const auto totals =
      sum<uint64_t>(loops, family, [](uint64_t& t, const Counter& c) { t += c.value(); });
  for (const auto& [values, t] : totals) out.sample(labels_of(names, values), t);
}

}  // namespace

Metrics::Metrics(size_t loops, std::string version, const base::Clock& clock)
    : version_(std::move(version)), started_(clock.wall()) {
  for (size_t i = 0; i < loops; ++i) loops_.push_back(std::make_unique<LoopMetrics>());
}

void Metrics::add_gauge(std::string name, std::string help, std::function<double()> read) {
  outside_.push_back({std::move(name), std::move(help), false, std::move(read)});
}

void Metrics::add_counter(std::string name, std::string help, std::function<double()> read) {
  outside_.push_back({std::move(name), std::move(help), true, std::move(read)});
}

void Metrics::add_families(std::function<void(Exposition&)> write) {
  families_.push_back(std::move(write));
}

int64_t Metrics::in_flight() const {
  int64_t sum = 0;
  for (const auto& loop : loops_) sum += loop->inflight.value();
  return sum;
}

std::string Metrics::scrape() const {
  Exposition out;
  out.family("deeppool_build_info", Type::gauge, "Always 1; the version is a label.");
  const Label version[] = {{"version", version_}};
  out.sample(version, uint64_t{1});
  write_process_metrics(out, started_);
  write_routes(out, loops_);
  write_models(out, loops_);
  write_overhead(out, loops_);
  out.family("deeppool_upstream_requests_total", Type::counter, "Attempts at upstreams.");
  write_counters<2>(out, loops_, &LoopMetrics::upstream_requests, {"provider", "outcome"});
  out.family("deeppool_retries_total", Type::counter,
             "Further candidates of requests whose first one failed.");
  write_counters<1>(out, loops_, &LoopMetrics::retries, {"outcome"});
  out.family("deeppool_endpoints_passed_over_total", Type::counter,
             "Candidates that were not asked, or asked though ejected.");
  write_counters<1>(out, loops_, &LoopMetrics::endpoints_passed_over, {"reason"});
  out.family("deeppool_hedges_total", Type::counter, "Second asks of slow requests.");
  write_counters<1>(out, loops_, &LoopMetrics::hedges, {"outcome"});
  out.family("deeppool_ratelimit_rejected_total", Type::counter, "Requests refused by a limit.");
  write_counters<1>(out, loops_, &LoopMetrics::ratelimit_rejected, {"scope"});
  out.family("deeppool_errors_total", Type::counter, "Error answers by code.");
  write_counters<1>(out, loops_, &LoopMetrics::errors, {"code"});
  out.family("deeppool_inflight", Type::gauge, "Requests being served.");
  double inflight = 0;
  for (const auto& loop : loops_) inflight += static_cast<double>(loop->inflight.value());
  out.sample({}, inflight);
  out.family("deeppool_db_query_seconds", Type::histogram,
             "Statements and commits of the database.");
  HistogramTotals queries;
  queries.add(db_queries_);
  out.histogram({}, kShortBounds, queries);
  for (const Outside& row : outside_) {
    out.family("deeppool_" + row.name, row.counter ? Type::counter : Type::gauge, row.help);
    out.sample({}, row.read());
  }
  for (const auto& write : families_) write(out);
  return out.take();
}

}  // namespace deeppool::metrics
