#include "base/timestamp.h"

#include <ctime>

namespace deeppool::base {

std::string rfc3339(int64_t unix_seconds) {
  const auto t = static_cast<time_t>(unix_seconds);
  tm utc{};
  gmtime_r(&t, &utc);
  char text[32];
  return {text, strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

}  // namespace deeppool::base
