// Engine: drives one load run on the calling thread with an epoll of its own, because arrivals need
// microseconds where DeepPool's loop deals in milliseconds. Open loop: requests begin at their
// times whatever the server does, and latency counts from there; a slow server cannot hide by
// slowing us.
#pragma once

#include <cstdio>
#include <deque>
#include <memory>
#include <queue>
#include <random>
#include <vector>

#include "loadgen/connection.h"
#include "loadgen/report.h"
#include "loadgen/request_text.h"

namespace deeppool::load {

class Engine final : public Owner {
 public:
  Engine(const Settings& settings, const Target& target, RequestText text);
  ~Engine() override;
  // Errors: the journal cannot be written.
  Result<void> open_journal();
  Report run();

 private:
  struct Timed {
    Nanos at;
    Connection* connection;
    bool operator>(const Timed& other) const { return at > other.at; }
  };
  struct Again {
    Nanos at;
    Exchange exchange;
    bool operator>(const Again& other) const { return at > other.at; }
  };

  void watch(Connection& connection) override;
  void over(Connection& connection) override;
  void first_event(const Exchange& exchange) override;
  void event_gap(Nanos gap) override;
  void call_later(Connection& connection, Nanos at) override { timers_.push({at, &connection}); }
  std::string& scratch() override { return scratch_; }

  void open_idle();
  void start_due(Nanos now);
  void start_arrivals(Nanos now);
  void start_closed(Nanos now);
  void begin(Exchange exchange);
  Exchange fresh(Nanos intended);
  bool retry(const Exchange& exchange);
  void turn(Nanos now, Nanos until);
  Nanos next_wake(Nanos now, Nanos until) const;
  void begin_measuring(Nanos now);
  void end_measuring(Nanos now);
  void write_journal(const Exchange& exchange);
  bool more_wanted() const;

  const Settings settings_;
  const Target target_;
  const RequestText text_;
  const int epoll_fd_;
  std::string scratch_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::vector<Connection*> free_;
  std::deque<Exchange> waiting_;  // open loop: due, and no connection is free
  std::priority_queue<Timed, std::vector<Timed>, std::greater<>> timers_;
  std::priority_queue<Again, std::vector<Again>, std::greater<>> again_;
  std::mt19937_64 random_;
  Report report_;
  FILE* journal_ = nullptr;
  bool measuring_ = false;
  bool ending_ = false;
  int64_t started_ = 0;
  int64_t running_ = 0;
  Nanos begin_ = 0;
  Nanos next_arrival_ = 0;
  Nanos measured_from_ = 0;
};

}  // namespace deeppool::load
