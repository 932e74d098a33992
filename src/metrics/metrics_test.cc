#include "metrics/metrics.h"

#include <gtest/gtest.h>

#include <thread>

#include "metrics/exposition.h"
#include "testing/fake_clock.h"

namespace deeppool::metrics {
namespace {

using std::chrono::milliseconds;

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(Exposition, WritesTheTextFormat) {
  Exposition out;
  out.family("a_total", Exposition::Type::counter, "It's \"quoted\"\nand \\ so on.");
  const Label labels[] = {{"x", "1"}, {"y", "a\"b\\c\nd"}};
  out.sample(labels, uint64_t{18446744073709551615u});
  out.sample({}, 0.25);
  EXPECT_EQ(out.take(),
            "# HELP a_total It's \"quoted\"\\nand \\\\ so on.\n"
            "# TYPE a_total counter\n"
            "a_total{x=\"1\",y=\"a\\\"b\\\\c\\nd\"} 18446744073709551615\n"
            "a_total 0.25\n");
}

TEST(Exposition, HistogramsAreCumulative) {
  Histogram h(kRequestBounds);
  h.observe(milliseconds(5));  // on the bound: inside
  h.observe(milliseconds(6));
  h.observe(std::chrono::hours(1));
  h.observe(milliseconds(-1));  // a clock's slip counts as nothing
  HistogramTotals totals;
  totals.add(h);
  Exposition out;
  out.family("h_seconds", Exposition::Type::histogram, "h");
  out.histogram({}, kRequestBounds, totals);
  const std::string text = out.take();
  EXPECT_TRUE(has_line(text, "h_seconds_bucket{le=\"0.005\"} 2"));
  EXPECT_TRUE(has_line(text, "h_seconds_bucket{le=\"0.01\"} 3"));
  EXPECT_TRUE(has_line(text, "h_seconds_bucket{le=\"600\"} 3"));
  EXPECT_TRUE(has_line(text, "h_seconds_bucket{le=\"+Inf\"} 4"));
  EXPECT_TRUE(has_line(text, "h_seconds_sum 3600.011"));
  EXPECT_TRUE(has_line(text, "h_seconds_count 4"));
}

TEST(Exposition, BoundsAscend) {
  for (const Bounds& bounds : {kRequestBounds, kShortBounds}) {
    EXPECT_TRUE(std::is_sorted(bounds.begin(), bounds.end()));
  }
}

TEST(Labeled, KeepsCellsAndBoundsThem) {
  Labeled<Counter, 1> family;
  Counter& first = family.with({"m0"});
  for (size_t i = 0; i < 3 * kMaxSeries; ++i) family.with({"m" + std::to_string(i)}).add();
  EXPECT_EQ(&family.with({"m0"}), &first);
  size_t series = 0;
  uint64_t total = 0;
  uint64_t other = 0;
  family.each([&](const auto& s) {
    ++series;
    total += s.cell.value();
    if (s.labels[0] == "other") other = s.cell.value();
  });
  EXPECT_EQ(series, kMaxSeries + 1);
  EXPECT_EQ(total, 3 * kMaxSeries);
  EXPECT_EQ(other, 2 * kMaxSeries);
}

TEST(Labeled, CutsLongValues) {
  Labeled<Counter, 1> family;
  family.with({std::string(1000, 'x')}).add();
  family.with({std::string(2000, 'x')}).add();
  size_t series = 0;
  family.each([&](const auto& s) {
    ++series;
    EXPECT_EQ(s.labels[0].size(), kMaxLabelBytes);
    EXPECT_EQ(s.cell.value(), 2u);
  });
  EXPECT_EQ(series, 1u);
}

TEST(Metrics, SumsOverLoops) {
  testing::FakeClock clock;
  Metrics metrics(2, "1.2.3", clock);
  for (size_t i = 0; i < 2; ++i) {
    LoopMetrics& loop = metrics.loop(i);
    ModelSeries& series = loop.models.with({"chat", "m", "openai"});
    series.by_status_class[status_class(200)].add(3);
    series.count_tokens(TokenType::input, 100);
    series.count_tokens(TokenType::output, -1);
    series.charged_units.add(18'000'000);
    series.odd_counts.add();
    series.duration.observe(milliseconds(20));
    loop.routes.with({"/v1/models"}).by_status_class[status_class(0)].add();
    loop.upstream_requests.with({"openai", "timeout"}).add();
    loop.inflight.add(2);
  }
  metrics.add_gauge("spool_bytes", "Bytes waiting.", [] { return 42.0; });
  metrics.add_counter("log_dropped_total", "Lines.", [] { return 7.0; });
  const std::string text = metrics.scrape();
  const std::string labels = "endpoint=\"chat\",model=\"m\",provider=\"openai\"";
  EXPECT_TRUE(has_line(text, "deeppool_requests_total{" + labels + ",status_class=\"2xx\"} 6"));
  EXPECT_TRUE(has_line(text, "deeppool_tokens_total{" + labels + ",type=\"input\"} 200"));
  EXPECT_EQ(text.find("type=\"output\""), std::string::npos);
  EXPECT_TRUE(has_line(text, "deeppool_charged_units_total{" + labels + "} 36000000"));
  EXPECT_TRUE(has_line(text, "deeppool_odd_token_counts_total{" + labels + "} 2"));
  EXPECT_TRUE(has_line(text, "deeppool_request_duration_seconds_count{" + labels + "} 2"));
  EXPECT_TRUE(
      has_line(text, "deeppool_http_requests_total{route=\"/v1/models\",status_class=\"none\"} 2"));
  EXPECT_TRUE(has_line(
      text, "deeppool_upstream_requests_total{provider=\"openai\",outcome=\"timeout\"} 2"));
  EXPECT_TRUE(has_line(text, "deeppool_inflight 4"));
  EXPECT_TRUE(has_line(text, "deeppool_spool_bytes 42"));
  EXPECT_TRUE(has_line(text, "# TYPE deeppool_log_dropped_total counter"));
  EXPECT_TRUE(has_line(text, "deeppool_build_info{version=\"1.2.3\"} 1"));
  EXPECT_TRUE(has_line(text, "process_start_time_seconds 1.8e+09"));
  EXPECT_EQ(text.find("process_open_fds 0\n"), std::string::npos);
  EXPECT_EQ(text.find("process_resident_memory_bytes 0\n"), std::string::npos);
}

// What promtool checks: every sample belongs to the family opened above it, and no family twice.
TEST(Metrics, EverySampleHasItsFamily) {
  testing::FakeClock clock;
  Metrics metrics(1, "1", clock);
  metrics.loop(0).models.with({"chat", "m", "openai"}).first_token.observe(milliseconds(1));
  metrics.loop(0).overhead.with({"chat"}).observe(milliseconds(1));
  std::vector<std::string> families;
  std::string text = metrics.scrape();
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("# HELP ")) {
      const std::string name = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_EQ(std::count(families.begin(), families.end(), name), 0) << name;
      families.push_back(name);
    } else if (!line.starts_with("#")) {
      EXPECT_TRUE(line.starts_with(families.back())) << line;
    }
  }
  EXPECT_GT(families.size(), 15u);
}

TEST(Metrics, ScrapesWhileALoopCounts) {
  testing::FakeClock clock;
  Metrics metrics(1, "1", clock);
  std::atomic<bool> done{false};
  std::thread loop([&] {
    for (int i = 0; i < 20000; ++i) {
      ModelSeries& s =
          metrics.loop(0).models.with({"chat", "m" + std::to_string(i % 300), "openai"});
      s.by_status_class[2].add();
      s.duration.observe(milliseconds(i));
    }
    done = true;
  });
  size_t scrapes = 0;
  do {
    EXPECT_FALSE(metrics.scrape().empty());
    ++scrapes;
  } while (!done);
  loop.join();
  EXPECT_GT(scrapes, 0u);
}

}  // namespace
}  // namespace deeppool::metrics
