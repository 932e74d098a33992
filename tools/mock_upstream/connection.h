// Connection: one peer of the mock, on its loop: reads requests, finds the behaviour, lets it
// answer, and does with the socket what the behaviour wants.
#pragma once

#include <memory>
#include <string>

#include "async/socket.h"
#include "mock_upstream/behaviour.h"
#include "mock_upstream/stats.h"

namespace deeppool::mock {

// What the connections of all loops share.
struct Shared {
  Stats stats;
  Journal journal;
  std::shared_ptr<const async::TlsContext> tls;  // null: plain
  std::atomic<int64_t> next_id{1};
  int64_t started_us = 0;  // part of each answer's id, so that ids of two runs differ
};

class Connection {
 public:
  Connection(Shared& shared, std::unique_ptr<async::Socket> socket);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Task<void> serve();
  async::Socket& socket() { return *socket_; }

 private:
  Task<bool> read_request();
  Task<bool> read_more(size_t want);
  Task<bool> read_chunked(size_t head_size);
  Task<Fate> answer_request();
  Task<void> run_behaviour(Call& call);
  std::string list_answer(const Place& place) const;
  void close_record(Record& record, const Wire& wire);

  Shared& shared_;
  std::unique_ptr<async::Socket> socket_;
  std::string bytes_;        // received and not yet served
  size_t request_size_ = 0;  // of the request at the front of bytes_
  http::RequestHead head_;
  std::string_view body_;
  std::string decoded_;  // a chunked body
};

}  // namespace deeppool::mock
