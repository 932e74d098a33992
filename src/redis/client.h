// Client: exchanges with one Redis server from one event loop, over a few connections that are
// kept. One exchange has a connection to itself; one that is not complete and clean at its end
// (timeout, broken, malformed) is closed, so that a reply can never reach another question. After a
// failure nobody tries for a while, and then one call alone, so that a dead server costs next to
// nothing.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "async/blocking_pool.h"
#include "async/socket.h"
#include "async/task_group.h"
#include "redis/reply.h"
#include "redis/server.h"

namespace deeppool::redis {

class Client {
 public:
  // `lookups` and `server` outlive the client. `tls` is needed for Security::tls only.
  Client(async::Loop& loop, async::BlockingPool& lookups, const Server& server,
         std::shared_ptr<const async::TlsContext> tls);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // One command and its reply; `words` stay until it returns. Errors: `unavailable` at once while
  // the server is known to be away; `timeout` after `limit`; upstream_failed when it breaks or
  // answers an error (its text in `detail`).
  Task<Result<Reply>> call(std::span<const std::string_view> words, base::Duration limit);
  // Before the loop ends: fails what runs and waits for it.
  Task<void> close();

 private:
  struct Waiter {
    explicit Waiter(async::Loop& loop) : parker(loop) {}
    async::Parker parker;
  };
  using Connection = std::unique_ptr<async::Socket>;

  Task<Result<Connection>> acquire(base::Deadline deadline);
  Connection take_idle();
  Task<void> open_one();
  Task<Result<Connection>> dial(base::Deadline deadline);
  Task<Result<Connection>> connect_tcp(base::Deadline deadline);
  Task<Result<void>> log_in(async::Socket& socket, base::Deadline deadline);
  Task<Result<Reply>> exchange(async::Socket& socket, std::span<const std::string_view> words,
                               base::Deadline deadline);
  void release(Connection connection);
  void failed(const Error& error);
  void worked();
  void wake_one();
  void wake_all();
  bool resting() const;  // nobody may try now
  bool pausing() const;

  async::Loop& loop_;
  async::BlockingPool& lookups_;
  const Server& server_;
  std::shared_ptr<const async::TlsContext> tls_;
  async::TlsResumption resumption_;
  async::TaskGroup dials_;
  async::CancelScope scope_;
  std::vector<Connection> idle_;
  std::deque<Waiter*> waiters_;
  size_t dialing_ = 0;
  size_t open_ = 0;   // idle or at work
  int failures_ = 0;  // in a row
  bool probing_ = false;
  base::Instant rest_until_{};
};

}  // namespace deeppool::redis
