// Connection: one client connection of the load, blocking never. Carries one exchange at a time and
// tells its owner when that is over. Owned by Engine, on its thread.
#pragma once

#include <optional>
#include <string>

#include "http/codec/chunked.h"
#include "http/codec/message.h"
#include "http/sse.h"
#include "loadgen/exchange.h"
#include "loadgen/settings.h"

namespace deeppool::load {

class Connection;

// What a connection needs of the engine.
class Owner {
 public:
  virtual ~Owner() = default;
  virtual void watch(Connection& connection) = 0;
  virtual void over(Connection& connection) = 0;  // exchange() has its end; start() may follow
  virtual void first_event(const Exchange& exchange) = 0;
  virtual void event_gap(Nanos gap) = 0;
  virtual void call_later(Connection& connection, Nanos at) = 0;  // on_timer()
  virtual std::string& scratch() = 0;
};

class Connection {
 public:
  Connection(Owner& owner, const Settings& settings, const Target& target);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Connects if it must. `text` are the request's bytes.
  void start(Exchange exchange, std::string text);
  void connect_only();  // and stay idle
  void on_ready(uint32_t events);
  void on_timer();
  // Ends what runs as `end`.
  void give_up(End end);

  Exchange& exchange() { return exchange_; }
  bool busy() const { return busy_; }
  bool open() const { return fd_ >= 0; }
  int fd() const { return fd_; }

 private:
  enum class Phase { idle, connecting, sending, head, body };
  bool connect();
  void close();
  void send_rest();
  void receive();
  bool take(std::string_view bytes);
  bool take_head(std::string_view& bytes);
  bool take_body(std::string_view bytes);
  bool take_chunked(std::string_view bytes);
  void take_data(std::string_view data);
  void take_event(std::string_view data);
  void ended_by_peer();
  void finish(End end);
  void finish_whole();

  Owner& owner_;
  const Settings& settings_;
  const Target& target_;
  int fd_ = -1;
  Phase phase_ = Phase::idle;
  bool busy_ = false;
  bool hung_up_ = false;  // the end is in the socket, behind what is to be read
  bool reused_ = false;   // has carried an exchange before
  Exchange exchange_;
  std::string text_;
  size_t sent_ = 0;
  std::string head_;
  http::Framing framing_ = http::Framing::none;
  bool keep_alive_ = true;
  uint64_t left_ = 0;
  std::optional<http::ChunkedDecoder> chunked_;
  std::optional<http::SseParser> sse_;
  std::string body_;  // of an unstreamed answer, when somebody will look into it
};

}  // namespace deeppool::load
