// Client: upstream requests from one loop, over pooled, kept-alive connections. A connection goes
// back to the pool only when its exchange was complete and clean; cut short in any way, it is
// closed, so that an answer can never reach another request.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>

#include "async/cancel.h"
#include "async/parker.h"
#include "http/client/dialer.h"
#include "http/codec/chunked.h"
#include "http/codec/message.h"

namespace deeppool::http {

class Client;
struct OriginPool;

// What goes out: the head's complete text and the body's pieces, sent in one write.
struct OutgoingRequest {
  Method method = Method::post;
  std::string_view head;
  std::span<const std::string_view> body;
};

// A connection taken from a pool. Returns to it on keep(), closes on drop() or destruction; empty
// after any of them and once moved from.
class Lease {
 public:
  enum class Age { fresh, reused };
  Lease(Client& client, OriginPool& pool, std::unique_ptr<async::Socket> socket, Age age);
  Lease(Lease&&) = default;
  Lease& operator=(Lease&&) = delete;
  ~Lease() { drop(); }
  explicit operator bool() const { return socket_ != nullptr; }
  async::Socket& socket() { return *socket_; }
  bool reused() const { return age_ == Age::reused; }
  void keep();
  void drop();

 private:
  Client& client_;
  OriginPool& pool_;
  std::unique_ptr<async::Socket> socket_;
  Age age_;
};

// The answer to one request: its head, then the body, pulled piece by piece.
class Reply : public base::Pooled {
 public:
  Reply(Lease lease, async::CancelScope& scope);
  const ResponseHead& head() const { return head_; }

  // The next bytes of the body, as they came; empty at the end. They live until your next co_await,
  // and 64 readable bytes follow them. Errors: upstream_failed (cut, malformed), timeout,
  // cancelled.
  Task<Result<std::string_view>> read(base::Deadline deadline);
  // The same in two steps, behind a first read(), for who waits often and long: no coroutine frame
  // is made for the wait. What arrival() brings goes into take() at once; take() is empty, too,
  // when only framing came. Not once the body is complete.
  async::Socket::ReadAwaiter arrival(base::Deadline deadline);
  Result<std::string_view> take(Result<size_t> arrived);
  // Gives back the memory of the head's fields, which are gone then.
  void forget_fields();
  // The body is complete, and the connection with it: it went back to the pool if it was clean.
  bool complete() const { return complete_; }
  // No longer bound to the request's scope, which it may now outlive.
  void detach() { cancel_.unlink(); }

 private:
  friend class Client;
  DP_OWN_FRAME Task<Result<void>> send(const OutgoingRequest& outgoing, base::Deadline deadline);
  DP_OWN_FRAME Task<Result<void>> read_head(Method method, base::Deadline deadline);
  Result<std::string_view> decode(std::span<char> bytes);
  Result<std::string_view> unframed(std::span<char> bytes);
  std::span<char> hand_out();
  void finish();

  Lease lease_;
  async::CancelHook cancel_;
  std::string head_bytes_;  // what head_'s views point into
  std::string held_;        // body bytes that came with the head
  std::string handed_out_;  // held bytes that the reader is looking at
  ResponseHead head_;
  ChunkedDecoder chunks_;
  uint64_t left_ = 0;      // of a body with a length
  bool any_byte_ = false;  // of the answer
  bool complete_ = false;
};

class Client {
 public:
  Client(async::Loop& loop, async::BlockingPool& pool, TlsContexts& contexts, const Proxy& proxy,
         Reach reach = Reach::anywhere);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Sends and waits for the final head (1xx are skipped). A kept-alive connection that turns out to
  // be dead before any byte of an answer is replaced once by a new one. `scope` must outlive the
  // Reply. Errors: upstream_failed, timeout, cancelled, no_backend (the pool is full).
  Task<Result<std::unique_ptr<Reply>>> request(const Origin& origin, OutgoingRequest outgoing,
                                               base::Deadline deadline, async::CancelScope& scope);
  size_t idle_connections() const;
  // Since the start, to all origins.
  size_t opened_connections() const { return opened_; }

 private:
  friend class Lease;
  enum class Reuse { allowed, never };
  DP_OWN_FRAME Task<Result<Lease>> acquire(const Origin& origin, Reuse reuse,
                                           base::Deadline deadline, async::CancelScope& scope);
  DP_OWN_FRAME Task<Result<void>> wait_for_place(OriginPool& pool, base::Deadline deadline,
                                                 async::CancelScope& scope);
  void release(OriginPool& pool, std::unique_ptr<async::Socket> socket);
  static void reap(void* client);

  async::Loop& loop_;
  Dialer dialer_;
  std::unordered_map<Origin, std::unique_ptr<OriginPool>, OriginHash> pools_;
  async::Timer reaper_;
  size_t opened_ = 0;
};

}  // namespace deeppool::http
