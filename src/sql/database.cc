#include "sql/database.h"

namespace deeppool::sql {

Database::Database(std::unique_ptr<Connector> connector, Sizes sizes)
    : connector_(std::move(connector)),
      readers_(sizes.readers, [this] { return connector_->connect(Access::read); }),
      writers_(sizes.writers, [this] { return connector_->connect(Access::write); }) {}

Result<Reader> Database::read(base::Duration wait) {
  DP_TRY(auto lease, readers_.take(wait));
  return Reader(std::move(lease), observer_);
}

Result<Writer> Database::write(base::Duration wait) {
  DP_TRY(auto lease, writers_.take(wait));
  return Writer(std::move(lease), observer_);
}

Result<void> Database::make_durable() {
  DP_TRY(auto lease, writers_.take(kLeaseWait));
  return lease->make_durable();
}

}  // namespace deeppool::sql
