#include "sql/pool.h"

#include "sql/limits.h"

namespace deeppool::sql {

Lease::~Lease() {
  if (connection_) pool_->give_back(std::move(connection_));
}

Result<void> Lease::reconnect() {
  DP_TRY(connection_, pool_->connect_());
  return {};
}

Result<Lease> Pool::take(base::Duration wait) {
  const base::Instant until = base::SystemClock().now() + wait;
  std::unique_lock lock(mutex_);
  const bool free =
      freed_.wait_until(lock, until, [&] { return !idle_.empty() || open_ < capacity_; });
  if (!free) {
    return Error(ErrorCode::unavailable, "the database is busy; try again in a moment",
                 "all " + std::to_string(capacity_) + " connections of a pool are in use");
  }
  if (idle_.empty()) {
    ++open_;
    lock.unlock();
    return open_new();
  }
  Idle idle = std::move(idle_.back());
  idle_.pop_back();
  lock.unlock();
  const bool stale = base::SystemClock().now() - idle.since > kPingAfterIdle;
  if (!stale || idle.connection->alive()) return Lease(*this, std::move(idle.connection));
  idle.connection.reset();
  return open_new();
}

Result<Lease> Pool::open_new() {
  auto connection = connect_();
  if (connection) return Lease(*this, *std::move(connection));
  forget_one();
  return std::move(connection).error();
}

size_t Pool::lent() const {
  const std::lock_guard lock(mutex_);
  return open_ - idle_.size();
}

void Pool::give_back(std::unique_ptr<Connection> connection) {
  connection->rollback();
  if (connection->fault() == Fault::lost) {
    connection.reset();
    return forget_one();
  }
  {
    const std::lock_guard lock(mutex_);
    idle_.push_back({std::move(connection), base::SystemClock().now()});
  }
  freed_.notify_one();
}

void Pool::forget_one() {
  {
    const std::lock_guard lock(mutex_);
    --open_;
  }
  freed_.notify_one();
}

}  // namespace deeppool::sql
