#include "loadgen/report.h"

#include <fmt/format.h>

#include <algorithm>

namespace deeppool::load {

void Report::add(const Exchange& exchange) {
  if (!exchange.streamed) bytes += exchange.bytes;
  ++statuses[std::clamp(exchange.status / 100, 0, 5)];
  if (exchange.end == End::aborted) {
    ++aborted;
    return;
  }
  if (exchange.end != End::completed || exchange.status >= 400) {
    ++failed;
    return;
  }
  ++completed;
  latency.add(exchange.ended - exchange.intended);
  service.add(exchange.ended - exchange.started);
}

std::string Report::to_json() const {
  std::string process;
  if (before && after) {
    const double user = after->user_seconds - before->user_seconds;
    const double system = after->system_seconds - before->system_seconds;
    const double cpu = after->cpu_seconds - before->cpu_seconds;
    process = fmt::format(R"(,"cpu":{{"user_s":{:.2f},"system_s":{:.2f},"total_s":{:.4f},)"
                          R"("us_per_request":{:.3f},"us_per_event":{:.3f}}},)"
                          R"("rss":{{"before":{},"after":{}}})",
                          user, system, cpu,
                          completed > 0 ? cpu * 1e6 / static_cast<double>(completed) : 0,
                          events > 0 ? cpu * 1e6 / static_cast<double>(events) : 0,
                          before->resident_bytes, after->resident_bytes);
  }
  return fmt::format(
      R"({{"seconds":{:.3f},"completed":{},"failed":{},"aborted":{},"requests_per_s":{:.1f},)"
      R"("events":{},"events_per_s":{:.1f},"bytes":{},"statuses":{{"none":{},)"
      R"("2xx":{},"3xx":{},"4xx":{},"5xx":{}}},)"
      R"("retries":{},"foreign_nonces":{},"missing_nonces":{},"no_usage":{},)"
      R"("idle_lost":{},"late_starts":{},)"
      R"("latency":{},"service":{},"first_event":{},"gap":{}{}}})",
      seconds, completed, failed, aborted, static_cast<double>(completed) / seconds, events,
      static_cast<double>(events) / seconds, bytes, statuses[0], statuses[2], statuses[3],
      statuses[4], statuses[5], retries, foreign_nonces, missing_nonces, no_usage, idle_lost,
      late_starts, latency.to_json(), service.to_json(), first_event.to_json(), gap.to_json(),
      process);
}

std::string Report::to_text() const {
  const auto us = [](int64_t ns) { return static_cast<double>(ns) / 1000; };
  const auto row = [&](const char* name, const Histogram& h) {
    if (h.count() == 0) return std::string();
    return fmt::format("{:<12} p50 {:.0f}  p90 {:.0f}  p99 {:.0f}  p99.9 {:.0f}  max {:.0f} us\n",
                       name, us(h.quantile(0.5)), us(h.quantile(0.9)), us(h.quantile(0.99)),
                       us(h.quantile(0.999)), us(h.max()));
  };
  std::string out = fmt::format(
      "{} completed, {} failed, {} aborted in {:.2f} s: {:.0f} requests/s, {:.0f} events/s\n",
      completed, failed, aborted, seconds, static_cast<double>(completed) / seconds,
      static_cast<double>(events) / seconds);
  out += row("latency", latency) + row("service", service) + row("first event", first_event) +
         row("event gap", gap);
  if (before && after) {
    const double cpu =
        after->user_seconds + after->system_seconds - before->user_seconds - before->system_seconds;
    out += fmt::format("watched: {:.2f} CPU s, {:.1f} MB before, {:.1f} MB after\n", cpu,
                       static_cast<double>(before->resident_bytes) / 1e6,
                       static_cast<double>(after->resident_bytes) / 1e6);
  }
  if (foreign_nonces + missing_nonces + idle_lost > 0) {
    out += fmt::format("WRONG: {} foreign nonces, {} missing nonces, {} idle connections lost\n",
                       foreign_nonces, missing_nonces, idle_lost);
  }
  return out;
}

}  // namespace deeppool::load
