#include "metrics/exposition.h"

#include <charconv>
#include <cmath>

namespace deeppool::metrics {
namespace {

constexpr double kNanosecondsPerSecond = 1e9;

std::string number(double v) {
  if (std::isnan(v)) return "NaN";
  if (std::isinf(v)) return v > 0 ? "+Inf" : "-Inf";
  char text[40];
  return {text, std::to_chars(text, text + sizeof text, v).ptr};
}

// Inside help texts quotes stay as they are; label values escape them, too.
void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

void append_label(std::string& out, std::string_view name, std::string_view value) {
  out += out.back() == '{' ? "" : ",";
  out += name;
  out += "=\"";
  append_escaped(out, value, true);
  out += '"';
}

}  // namespace

void HistogramTotals::add(const Histogram& h) {
  for (size_t i = 0; i < buckets.size(); ++i) buckets[i] += h.in_bucket(i);
  sum_ns += h.sum_ns();
}

void Exposition::family(std::string_view name, Type type, std::string_view help) {
  static constexpr std::string_view kTypes[] = {"counter", "gauge", "histogram"};
  name_ = name;
  out_ += "# HELP " + name_ + ' ';
  append_escaped(out_, help, false);
  out_ += "\n# TYPE " + name_ + ' ';
  out_ += kTypes[static_cast<size_t>(type)];
  out_ += '\n';
}

void Exposition::line(std::string_view suffix, std::span<const Label> labels,
                      std::string_view less_equal, std::string_view value) {
  out_ += name_;
  out_ += suffix;
  if (!labels.empty() || !less_equal.empty()) {
    out_ += '{';
    for (const Label& label : labels) append_label(out_, label.first, label.second);
    if (!less_equal.empty()) append_label(out_, "le", less_equal);
    out_ += '}';
  }
  out_ += ' ';
  out_ += value;
  out_ += '\n';
}

void Exposition::sample(std::span<const Label> labels, double value) {
  line("", labels, "", number(value));
}

void Exposition::sample(std::span<const Label> labels, uint64_t value) {
  line("", labels, "", std::to_string(value));
}

void Exposition::histogram(std::span<const Label> labels, const Bounds& bounds,
                           const HistogramTotals& totals) {
  uint64_t below = 0;
  for (size_t i = 0; i < kBounds; ++i) {
    below += totals.buckets[i];
    const double seconds = static_cast<double>(bounds[i]) / kNanosecondsPerSecond;
    line("_bucket", labels, number(seconds), std::to_string(below));
  }
  below += totals.buckets[kBounds];
  line("_bucket", labels, "+Inf", std::to_string(below));
  line("_sum", labels, "", number(static_cast<double>(totals.sum_ns) / kNanosecondsPerSecond));
  line("_count", labels, "", std::to_string(below));
}

}  // namespace deeppool::metrics
