#include "http/server/router.h"

#include <algorithm>

#include "base/text.h"

namespace deeppool::http {
namespace {

bool is_param(std::string_view segment) {
  return segment.starts_with('{');
}

std::string_view without_slashes(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

// Takes the first segment off `path`; there is always one, be it empty. False after the last.
bool take_segment(std::optional<std::string_view>& path, std::string_view& segment) {
  if (!path) return false;
  const size_t slash = path->find('/');
  segment = path->substr(0, slash);
  path = slash == std::string_view::npos ? std::nullopt : std::optional(path->substr(slash + 1));
  return true;
}

bool matches(const std::vector<std::string>& pattern, std::string_view path) {
  std::optional rest(path);
  std::string_view segment;
  for (const std::string& wanted : pattern) {
    if (!take_segment(rest, segment)) return false;
    if (is_param(wanted) ? segment.empty() : wanted != segment) return false;
  }
  return !rest;
}

// The path's own spelling of the pattern's parameters; nothing if one is not well encoded.
std::optional<std::vector<std::string>> params_of(const std::vector<std::string>& pattern,
                                                  std::string_view path) {
  std::vector<std::string> params;
  std::optional rest(path);
  std::string_view segment;
  for (const std::string& wanted : pattern) {
    take_segment(rest, segment);
    if (!is_param(wanted)) continue;
    auto decoded = base::percent_decode(segment);
    if (!decoded) return std::nullopt;
    params.push_back(std::move(*decoded));
  }
  return params;
}

}  // namespace

Router::Router(std::vector<Route> routes) : routes_(std::move(routes)) {
  for (size_t i = 0; i < routes_.size(); ++i) {
    Row row{{}, i, {}};
    const std::string_view pattern = without_slashes(routes_[i].pattern);
    for (const std::string_view s : base::split(pattern, '/')) row.segments.emplace_back(s);
    if (std::ranges::none_of(row.segments, is_param)) row.fixed_path = pattern;
    rows_.push_back(std::move(row));
  }
}

Router::Match Router::find(Method method, std::string_view path) const {
  Match match;
  path = without_slashes(path);
  for (const Row& row : rows_) {
    const bool fixed = !row.fixed_path.empty();
    if (fixed ? path != row.fixed_path : !matches(row.segments, path)) continue;
    const Route& route = routes_[row.route];
    const bool head_for_get = method == Method::head && route.method == Method::get;
    if (route.method != method && !head_for_get) {
      if (!match.allowed.empty()) match.allowed += ", ";
      match.allowed += to_string(route.method);
      continue;
    }
    if (!fixed) {
      auto params = params_of(row.segments, path);
      if (!params) return {};
      match.params = std::move(*params);
    }
    match.route = &route;
    return match;
  }
  return match;
}

}  // namespace deeppool::http
