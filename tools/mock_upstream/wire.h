// Wire: one request's end of the connection, for behaviours that send bytes as they like, right or
// wrong. Lives as long as the request, on the connection's loop. Once the peer is gone everything
// fails fast and the behaviour returns.
#pragma once

#include <chrono>
#include <string_view>

#include "async/cancel.h"
#include "async/socket.h"

namespace deeppool::mock {

// What becomes of the connection after the answer.
enum class Fate {
  keep,   // serve the next request
  close,  // FIN
  reset,  // RST
  hold,   // neither read nor write any more until the peer closes
};

class Wire {
 public:
  explicit Wire(async::Socket& socket);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  // All of it, as one write. False: the peer is gone (or took nothing for kPeerTimeout).
  Task<bool> send(std::string_view bytes);
  // False if the peer went away before the time was over.
  Task<bool> pause(std::chrono::nanoseconds time);
  bool peer_gone() const { return gone_.cancelled(); }

  Fate fate = Fate::keep;

 private:
  async::Socket& socket_;
  async::CancelScope gone_;
  async::CancelHook abort_;
};

}  // namespace deeppool::mock
