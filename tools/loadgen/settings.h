// Settings of one load run, as the flags gave them. A plain value.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>

#include "base/error.h"

namespace deeppool::load {

struct Settings {
  std::string url = "http://127.0.0.1:8080/v1/chat/completions";
  std::string model = "mock";
  std::string key;
  std::string body_file;  // sent as it is; else a chat request of body_size bytes is made
  int64_t body_size = 1024;
  bool stream = false;
  bool nonce = false;
  int64_t max_tokens = 0;  // 0: not sent

  int64_t connections = 64;   // closed loop: all busy; open loop: at most so many
  double rate = 0;            // requests per second; 0: closed loop
  double duration = 5;        // seconds measured
  double warmup = 0;          // seconds before, not measured
  double grace = 2;           // seconds that running requests get at the end
  int64_t requests = 0;       // stop after so many; 0: no bound
  int64_t retries = 0;        // per request, on what an SDK retries
  int64_t idle = 0;           // further connections, opened and left alone
  double abort = 0;           // share of requests that are cut
  int64_t abort_span = 4096;  // ... at a random byte of the answer up to this
  int64_t read_rate = -1;     // bytes per second and connection; -1: all there is
  uint64_t seed = 1;

  int64_t watch_pid = 0;
  std::string journal;
  std::string json;
};

struct Target {
  sockaddr_in address{};
  std::string host;  // with its port, for the Host field
  std::string path;
};
// http:// and an IPv4 address or localhost only: names and TLS would measure other things.
Result<Target> parse_url(const std::string& url);

}  // namespace deeppool::load
