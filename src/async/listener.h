// Listener: accepts connections on one loop. Every loop opens its own on the same port
// (SO_REUSEPORT), and the kernel spreads connections over them. Running out of descriptors pauses
// accepting, it ends nothing.
#pragma once

#include <coroutine>
#include <memory>
#include <optional>

#include "async/address.h"
#include "async/parker.h"
#include "async/socket.h"

namespace deeppool::async {

class Listener final : private Watch {
 public:
  // Errors: `conflict` when the port is taken, with the address in the message.
  static Result<std::unique_ptr<Listener>> open(Loop& loop, const Address& address);
  ~Listener() override;

  struct Accepted {
    std::unique_ptr<Socket> socket;
    Address peer;
  };
  // The next connection; nothing after close().
  Task<std::optional<Accepted>> accept();
  // Stops accepting. What the kernel has accepted already is still handed out (closing would reset
  // it), then accept() returns nothing.
  void close();
  uint16_t port() const { return port_; }

 private:
  Listener(Loop& loop, int fd, uint16_t port);
  void on_ready(uint32_t events) override;

  Loop& loop_;
  void shut();

  int fd_;
  bool closing_ = false;
  uint16_t port_;
  Parker arrival_;
};

// `conflict` if anybody, another instance of ours included, listens there. Ask once before opening
// the listeners: SO_REUSEPORT alone would let two instances share the port in silence.
Result<void> check_port_free(const Address& address);

}  // namespace deeppool::async
