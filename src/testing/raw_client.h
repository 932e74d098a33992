// A blocking TCP client for black-box tests: sends exactly the bytes it is told, at the splits it
// is told, and reads what comes back. On a test's own thread; every wait ends after ten seconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace deeppool::testing {

class RawClient {
 public:
  explicit RawClient(uint16_t port);  // throws std::runtime_error if nobody listens on 127.0.0.1
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // False if the peer has closed.
  bool send(std::string_view bytes);
  // Everything until the peer closes; ends with "(reset)" on a reset, "(timeout)" when it never
  // came.
  std::string read_to_end();
  // Until `text` has come, or the end. Bytes after it stay for the next call.
  std::string read_until(std::string_view text);
  void half_close();
  void close();
  void reset();  // closes with a reset

 private:
  enum class Got { bytes, end, reset, timeout };
  Got receive();
  int fd_;
  std::string received_;
};

// The answers in `bytes`, each with status, head and body (by Content-Length or chunks). What is
// malformed or cut has `broken` set.
struct RawAnswer {
  int status = 0;
  std::string head;
  std::string body;
  bool broken = false;
  // The value of a header; empty if absent.
  std::string header(std::string_view name) const;
};
std::vector<RawAnswer> parse_answers(std::string_view bytes);

}  // namespace deeppool::testing
