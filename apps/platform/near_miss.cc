#include "apps/platform/near_miss.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "apps/platform/config_keys.h"

namespace deeppool::platform {
namespace {

constexpr size_t kMaxComparedBytes = 128;  // no key is half as long
constexpr size_t kMaxSlips = 3;

std::string_view leaf(std::string_view path) {
  const size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

size_t slips_allowed(std::string_view word) {
  return std::min(kMaxSlips, word.size() / 3);
}

struct Best {
  std::string path;
  size_t distance = kMaxSlips + 1;
  void offer(std::string_view candidate, std::string_view wanted, std::string_view given) {
    const size_t allowed = slips_allowed(wanted);
    const size_t d = edit_distance(wanted, given, allowed);
    if (d <= allowed && d < distance) *this = {std::string(candidate), d};
  }
};

}  // namespace

// Optimal string alignment, row by row.
size_t edit_distance(std::string_view a, std::string_view b, size_t limit) {
  if (a.size() > kMaxComparedBytes || b.size() > kMaxComparedBytes) return limit + 1;
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> above(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  std::iota(above.begin(), above.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + change});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(above);
    above.swap(row);
  }
  return std::min(above.back(), limit + 1);
}

std::optional<std::string> nearest_key(std::string_view path) {
  std::vector<std::string_view> known;
  for (const ConfigKey& key : config_keys()) known.push_back(key.path);
  for (const LaterKey& key : later_keys()) known.push_back(key.path);
  Best best;
  for (const std::string_view candidate : known) {
    best.offer(candidate, candidate, path);
    // A section of which the key is part: "serevr" for "server".
    for (size_t dot = candidate.find('.'); dot != std::string_view::npos;
         dot = candidate.find('.', dot + 1)) {
      best.offer(candidate.substr(0, dot), candidate.substr(0, dot), path);
    }
  }
  if (best.distance <= kMaxSlips) return best.path;
  for (const std::string_view candidate : known) best.offer(candidate, leaf(candidate), leaf(path));
  if (best.distance <= kMaxSlips) return best.path;
  return std::nullopt;
}

}  // namespace deeppool::platform
