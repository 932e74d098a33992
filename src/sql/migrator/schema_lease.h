// The right to change the schema: the row `schema` of table `leases`, held for a time by the
// database's clock. Held by one migrator on one thread; every step is journalled under its epoch,
// so a migrator that lost the lease cannot record anything. A holder that died on this machine is
// recognised and replaced at once.
#pragma once

#include <cstdint>
#include <string>

#include "sql/database.h"

namespace deeppool::sql {

class SchemaLease {
 public:
  // Makes table `leases` if need be. unavailable: somebody else holds it for longer than `wait`.
  static Result<SchemaLease> take(Writer& writer, base::Duration wait);
  SchemaLease(SchemaLease&& other) noexcept
      : writer_(std::exchange(other.writer_, nullptr)), epoch_(other.epoch_) {}
  SchemaLease& operator=(SchemaLease&&) = delete;
  ~SchemaLease();

  // Another kSchemaLease from now. unavailable: it was lost meanwhile.
  Result<void> renew();
  int64_t epoch() const { return epoch_; }

 private:
  SchemaLease(Writer& writer, int64_t epoch) : writer_(&writer), epoch_(epoch) {}
  Writer* writer_;
  int64_t epoch_;
};

}  // namespace deeppool::sql
