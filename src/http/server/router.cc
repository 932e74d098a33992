#include "http/server/router.h"

#include "base/text.h"

namespace deeppool::http {
namespace {

bool is_param(std::string_view segment) {
  return segment.starts_with('{');
}

std::vector<std::string_view> segments_of(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  return base::split(path, '/');
}

bool matches(const std::vector<std::string>& pattern, const std::vector<std::string_view>& path) {
  if (pattern.size() != path.size()) return false;
  for (size_t i = 0; i < path.size(); ++i) {
    if (is_param(pattern[i]) ? path[i].empty() : pattern[i] != path[i]) return false;
  }
  return true;
}

}  // namespace

Router::Router(std::vector<Route> routes) : routes_(std::move(routes)) {
  for (size_t i = 0; i < routes_.size(); ++i) {
    Row row{{}, i};
    for (const std::string_view s : segments_of(routes_[i].pattern)) row.segments.emplace_back(s);
    rows_.push_back(std::move(row));
  }
}

Router::Match Router::find(Method method, std::string_view path) const {
  Match match;
  const auto segments = segments_of(path);
  for (const Row& row : rows_) {
    if (!matches(row.segments, segments)) continue;
    const Route& route = routes_[row.route];
    const bool head_for_get = method == Method::head && route.method == Method::get;
    if (route.method != method && !head_for_get) {
      if (!match.allowed.empty()) match.allowed += ", ";
      match.allowed += to_string(route.method);
      continue;
    }
    for (size_t i = 0; i < segments.size(); ++i) {
      if (!is_param(row.segments[i])) continue;
      auto decoded = base::percent_decode(segments[i]);
      if (!decoded) return {};
      match.params.push_back(std::move(*decoded));
    }
    match.route = &route;
    return match;
  }
  return match;
}

}  // namespace deeppool::http
