// Exchange: one request of the load and what came back. A plain value, filled by the Connection
// that carries it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace deeppool::load {

// Nanoseconds of the monotonic clock.
using Nanos = int64_t;
inline Nanos now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

enum class End { running, completed, refused, broken, aborted, unfinished };

struct Exchange {
  int64_t id = 0;
  int64_t attempt = 0;
  Nanos intended = 0;  // when it should have begun: latency counts from here
  Nanos started = 0;   // when its bytes went out
  Nanos first_event = 0;
  Nanos last_event = 0;
  Nanos ended = 0;
  int64_t abort_at = -1;  // bytes of the answer after which we hang up; -1: never
  int64_t bytes = 0;      // of the answer, heads included
  int64_t events = 0;
  int status = 0;
  bool streamed = false;
  bool done_seen = false;
  bool error_event = false;
  bool foreign_nonce = false;
  bool own_nonce = false;
  int64_t prompt_tokens = -1;  // as the answer says; -1: it does not
  int64_t completion_tokens = -1;
  std::string request_id;
  std::string nonce;  // empty: none
  End end = End::running;
};

// Numbers after `"name":` in the last usage object of `json`; leaves the exchange alone if none.
void read_usage(std::string_view json, Exchange& exchange);
// Notes every `nonce-...` word of `text` as own or foreign.
void check_nonces(std::string_view text, Exchange& exchange);

}  // namespace deeppool::load
