// W3C Trace Context: the caller's trace goes on through us to the upstream.
// https://www.w3.org/TR/trace-context/
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "base/random.h"

namespace deeppool::http {

// A whole `traceparent` value.
struct Traceparent {
  std::array<char, 55> text;
  operator std::string_view() const { return {text.data(), text.size()}; }
};

struct TraceContext {
  std::array<char, 32> trace_id{};  // lower-case hex
  bool sampled = true;

  // Continues a valid `traceparent`, else starts a new trace.
  static TraceContext from_header(std::optional<std::string_view> traceparent,
                                  base::Random& random);
  std::string_view id() const { return {trace_id.data(), trace_id.size()}; }
  // A `traceparent` value for a request that we make, with a new parent id.
  Traceparent child(base::Random& random) const;
};

}  // namespace deeppool::http
