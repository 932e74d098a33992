// Connection: the life of one accepted connection: head, route, access, body, handler, answer,
// again. Owned by the coroutine that serves it. While it waits for a request it holds no buffer and
// no Exchange.
#pragma once

#include <memory>
#include <string>

#include "async/socket.h"
#include "http/server/exchange.h"
#include "http/server/server.h"

namespace deeppool::http {

class Connection {
 public:
  Connection(Server& server, std::unique_ptr<async::Socket> socket, std::string peer_ip);
  ~Connection();
  Task<void> serve();

  // Drain: an idle connection is closed now, a busy one after its answer.
  void stop_when_idle();
  void cancel_request();
  void abort() { socket_->abort(); }

 private:
  // `cut`: the answer is incomplete, and the end of the connection must look like that. `linger`:
  // the peer may still be sending.
  enum class Next { again, close, linger, cut };
  Next after_answer(const Exchange& x) const;
  Task<Result<bool>> wait_for_request();
  Task<Next> serve_one();
  Task<Result<void>> read_head(Exchange& x);
  DP_OWN_FRAME Task<Result<void>> take_request(Exchange& x, Router::Match& match);
  DP_OWN_FRAME Task<Result<void>> read_body(Exchange& x, size_t limit);
  Task<Result<void>> read_sized_body(Exchange& x);
  Task<Result<void>> read_chunked_body(Exchange& x, size_t limit);
  base::Deadline body_deadline(const Exchange& x) const;
  static bool body_to_come(const Exchange& x);
  Result<void> charge_body(size_t bytes);
  void finish_exchange(Exchange& x, const Route* route);
  Task<void> run_handler(Exchange& x, const Route& route);
  DP_OWN_FRAME Task<void> handler_failed(Exchange& x, const Route& route, std::string what);
  DP_OWN_FRAME Task<void> refuse(Exchange& x, Result<void> why);
  DP_OWN_FRAME Task<void> linger();

  Server& server_;
  std::unique_ptr<async::Socket> socket_;
  const std::string peer_ip_;
  crypto::HashMemo key_memo_;
  std::string pending_;  // bytes read but not yet used: a cut head or the next request
  Exchange* current_ = nullptr;
  size_t body_charged_ = 0;    // against the server's bytes in flight
  bool body_pending_ = false;  // the peer may still be sending the body of this request
  bool begun_ = false;         // `before` ran, so `after` must
  bool stop_ = false;
};

}  // namespace deeppool::http
