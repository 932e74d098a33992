// A bounded set of connections, lent one at a time. Owned by Database, safe on every thread; take()
// blocks and is therefore never called on an event loop. Invariant: at most `capacity` connections
// are open; a lost one is dropped, never lent again; whoever returns one with an open transaction
// has it rolled back.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "sql/connection.h"

namespace deeppool::sql {

class Pool;

// A connection on loan; gives it back when destroyed. Must not outlive the pool.
class Lease {
 public:
  Lease(Pool& pool, std::unique_ptr<Connection> connection)
      : pool_(&pool), connection_(std::move(connection)) {}
  Lease(Lease&& other) noexcept = default;
  Lease& operator=(Lease&&) = delete;
  ~Lease();
  Connection& operator*() const { return *connection_; }
  Connection* operator->() const { return connection_.get(); }
  // Replaces a lost connection by a new one.
  Result<void> reconnect();

 private:
  Pool* pool_;
  std::unique_ptr<Connection> connection_;
};

class Pool {
 public:
  using Connect = std::function<Result<std::unique_ptr<Connection>>()>;
  Pool(size_t capacity, Connect connect) : capacity_(capacity), connect_(std::move(connect)) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // unavailable: none became free within `wait`, or a new one could not be made.
  Result<Lease> take(base::Duration wait);
  size_t lent() const;

 private:
  friend class Lease;
  struct Idle {
    std::unique_ptr<Connection> connection;
    base::Instant since;
  };
  void give_back(std::unique_ptr<Connection> connection);
  Result<Lease> open_new();
  void forget_one();

  const size_t capacity_;
  const Connect connect_;
  mutable std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<Idle> idle_;
  size_t open_ = 0;
};

}  // namespace deeppool::sql
