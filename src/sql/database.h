// Database: where stores get their sessions. One per process, made by open_sqlite or open_mysql,
// owned by services, safe on every thread; it must outlive every session. The engines differ only
// behind Connector. Both calls block: use them on a blocking pool, never on an event loop.
#pragma once

#include <memory>

#include "sql/limits.h"
#include "sql/session.h"

namespace deeppool::sql {

class Database {
 public:
  struct Sizes {
    size_t readers;
    size_t writers;
  };
  Database(std::unique_ptr<Connector> connector, Sizes sizes);

  Engine engine() const { return connector_->engine(); }
  // Waits up to `wait` for a free connection, then unavailable. A reader cannot write.
  Result<Reader> read(base::Duration wait = kLeaseWait);
  Result<Writer> write(base::Duration wait = kLeaseWait);

  // After it, everything committed so far survives a power cut. SQLite copies its log into the
  // file, both flushed (unavailable if readers were in the way: try later); servers flush every
  // commit.
  Result<void> make_durable();

  // For metrics. `observer` is quick and safe on every thread; set it before others have sessions.
  void observe(Observer observer) { observer_ = std::move(observer); }
  // Connections on loan.
  size_t writers_in_use() const { return writers_.lent(); }

 private:
  Observer observer_;
  std::unique_ptr<Connector> connector_;
  Pool readers_;
  Pool writers_;
};

}  // namespace deeppool::sql
