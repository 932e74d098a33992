#include "mock_upstream/stats.h"

#include <utility>

namespace deeppool::mock {

std::string Stats::to_json() const {
  const std::pair<const char*, int64_t> rows[] = {
      {"connections", connections},
      {"open_connections", open_connections},
      {"peak_connections", peak_connections},
      {"requests", requests},
      {"running", running},
      {"completed", completed},
      {"broken", broken},
      {"peer_closed", peer_closed},
      {"events", events},
      {"completion_tokens", completion_tokens},
      {"prompt_tokens", prompt_tokens},
  };
  std::string out;
  for (const auto& [name, value] : rows) {
    out += out.empty() ? "{\"" : ",\"";
    out += name;
    out += "\":" + std::to_string(value);
  }
  return out + "}";
}

}  // namespace deeppool::mock
