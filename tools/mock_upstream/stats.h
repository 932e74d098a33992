// Stats: counters of one mock, shared by its loops; `GET /mock/stats` shows them to tests.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace deeppool::mock {

struct Stats {
  std::atomic<int64_t> connections{0};  // accepted so far
  std::atomic<int64_t> open_connections{0};
  std::atomic<int64_t> peak_connections{0};
  std::atomic<int64_t> requests{0};
  std::atomic<int64_t> running{0};
  std::atomic<int64_t> completed{0};
  std::atomic<int64_t> broken{0};
  std::atomic<int64_t> peer_closed{0};
  std::atomic<int64_t> events{0};
  std::atomic<int64_t> completion_tokens{0};
  std::atomic<int64_t> prompt_tokens{0};

  void opened() {
    ++connections;
    const int64_t now = ++open_connections;
    int64_t peak = peak_connections;
    while (now > peak && !peak_connections.compare_exchange_weak(peak, now)) {
    }
  }
  std::string to_json() const;
};

}  // namespace deeppool::mock
