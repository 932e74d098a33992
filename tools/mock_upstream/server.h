// MockServer: the mock upstream as an object, for tests that want it in their own process and for
// main.cc. Each loop has its thread and its listener on one port. Start once, stop once.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "mock_upstream/connection.h"

namespace deeppool::mock {

class MockServer {
 public:
  struct Settings {
    std::string host = "127.0.0.1";  // an IP address
    uint16_t port = 0;               // 0: any free one
    int threads = 1;
    std::string journal = {};  // a file to append to; empty: none
    std::string tls_certificate = {};
    std::string tls_key = {};
  };
  // Errors: what is wrong with the address or the files.
  static Result<std::unique_ptr<MockServer>> start(const Settings& settings);
  ~MockServer();  // closes every connection
  MockServer(const MockServer&) = delete;
  MockServer& operator=(const MockServer&) = delete;

  uint16_t port() const { return port_; }
  const Stats& stats() const { return shared_.stats; }

 private:
  class Worker;
  MockServer();
  Result<void> listen(const Settings& settings);

  Shared shared_;
  std::vector<std::unique_ptr<Worker>> workers_;
  uint16_t port_ = 0;
};

}  // namespace deeppool::mock
