// Socket: one TCP connection on one loop, plain or TLS. Reads and writes are awaited, one reader
// and one writer at a time. A read tries at once and waits only when the kernel has nothing, or
// when so much was moved in this turn that the loop's other connections must have theirs; a write
// goes out at the end of the turn, with all others.
// A read into Loop::scratch() is filled immediately before the reader resumes, so an idle
// connection owns no buffer. abort() makes pending and later I/O fail; the owner then destroys the
// Socket, which closes it.
#pragma once

#include <sys/uio.h>

#include <coroutine>
#include <functional>
#include <memory>
#include <span>

#include "async/address.h"
#include "async/cancel.h"
#include "async/loop.h"
#include "async/task.h"
#include "async/tls.h"
#include "base/error.h"

namespace deeppool::async {

class Socket final : public Watch, public base::Pooled {
 public:
  // Takes a connected or connecting, non-blocking descriptor.
  Socket(Loop& loop, int fd);
  ~Socket() override;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  class ReadAwaiter;
  class WriteAwaiter;
  // What is there, at most out.size() bytes; 0 is the end of the stream. Errors: timeout,
  // cancelled, upstream_failed (reset, broken TLS) with the reason in `detail`.
  ReadAwaiter read(std::span<char> out, base::Deadline deadline);
  // All of `parts`, which it consumes as it goes. The bytes must stay until it returns. The
  // deadline is for the first progress; each progress gives as much time again, so that a slow peer
  // is not a dead one.
  WriteAwaiter write(std::span<iovec> parts, base::Deadline deadline);

  // Fails what is pending and what comes, with `cancelled`. For CancelHook: `abort_hook`.
  void abort();
  static void abort_hook(void* socket) { static_cast<Socket*>(socket)->abort(); }
  bool aborted() const { return aborted_; }

  // Called once when the peer closes or resets while nobody reads. Empty to stop listening.
  void on_hangup(std::function<void()> callback);
  // The peer has closed, or sent something nobody asked for: not fit for the pool.
  bool stale();

  // TLS on top of what is connected. `session` brings role, names and verification.
  Task<Result<void>> handshake(std::unique_ptr<TlsSession> session, base::Deadline deadline);
  // After a non-blocking connect(2).
  Task<Result<void>> wait_connected(base::Deadline deadline);

  // No more from us; the peer may go on sending.
  void shutdown_write();
  // Makes close() send RST instead of FIN (a peer that must not take a cut answer for a whole one).
  void reset_on_close();
  int fd() const { return fd_; }
  Loop& loop() { return loop_; }

  void on_ready(uint32_t events) override;
  void on_turn_end() override;

 private:
  friend class ReadAwaiter;
  friend class WriteAwaiter;
  bool attempt_read();
  bool attempt_write();
  void write_at_turn_end();
  ssize_t read_some(std::span<char> out);
  ssize_t write_some(std::span<iovec> parts);
  void read_failed(Error error);
  void write_failed(Error error);
  // Whether this turn's share is used up; then on_ready(0) comes with the next turn.
  bool must_yield();
  void count_moved(size_t bytes);
  static void on_read_timeout(void* socket);
  static void on_write_timeout(void* socket);

  Loop& loop_;
  int fd_;
  bool readable_ = false;  // data or an end may be there: a read is worth a system call
  bool writable_ = true;
  bool hung_up_ = false;
  bool aborted_ = false;
  bool write_queued_ = false;  // on_turn_end() will come
  uint32_t turn_ = 0;          // in which moved_ was counted
  uint32_t moved_ = 0;         // bytes read and written, up to its share
  ReadAwaiter* reader_ = nullptr;
  WriteAwaiter* writer_ = nullptr;
  Timer read_timer_;
  Timer write_timer_;
  std::unique_ptr<TlsSession> tls_;
  std::function<void()> hangup_;
};

class Socket::ReadAwaiter {
 public:
  ReadAwaiter(Socket& socket, std::span<char> out, base::Deadline deadline)
      : socket_(socket), out_(out), deadline_(deadline) {}
  bool await_ready();
  void await_suspend(std::coroutine_handle<> handle);
  Result<size_t> await_resume() { return std::move(result_); }

 private:
  friend class Socket;
  Socket& socket_;
  std::span<char> out_;
  base::Deadline deadline_;
  Result<size_t> result_ = size_t{0};
  std::coroutine_handle<> handle_;
};

class Socket::WriteAwaiter {
 public:
  WriteAwaiter(Socket& socket, std::span<iovec> parts, base::Deadline deadline)
      : socket_(socket), parts_(parts), deadline_(deadline) {}
  bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<> handle);
  Result<void> await_resume() { return std::move(result_); }

 private:
  friend class Socket;
  Socket& socket_;
  std::span<iovec> parts_;
  base::Deadline deadline_;
  base::Duration patience_{};
  Result<void> result_;
  std::coroutine_handle<> handle_;
};

inline Socket::ReadAwaiter Socket::read(std::span<char> out, base::Deadline deadline) {
  return {*this, out, deadline};
}
inline Socket::WriteAwaiter Socket::write(std::span<iovec> parts, base::Deadline deadline) {
  return {*this, parts, deadline};
}

// Connects within the deadline. Errors: upstream_failed, timeout, cancelled.
Task<Result<std::unique_ptr<Socket>>> connect(const Address& address, base::Deadline deadline,
                                              CancelScope& scope);

}  // namespace deeppool::async
