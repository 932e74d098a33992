#include "sql/transaction.h"

#include <thread>

#include "base/random.h"
#include "sql/limits.h"

namespace deeppool::sql {
namespace {

Result<void> attempt(Writer& writer, const std::function<Result<void>(Writer&)>& work,
                     Durability durability) {
  DP_TRY(auto transaction, Transaction::begin(writer, durability));
  DP_CHECK(work(writer));
  return transaction.commit();
}

// "Full jitter": uniform in (0, 2^n * first pause].
void pause_before_retry(int retry) {
  const double unit = 1.0 - base::SystemRandom().next_unit();
  // tidy: allow sleep: a pool thread, which has nothing else to do meanwhile
  std::this_thread::sleep_for(kFirstRetryPause * unit * (1 << retry));
}

}  // namespace

Result<Transaction> Transaction::begin(Writer& writer, Durability durability) {
  if (writer.connection().in_transaction()) {
    return Error(ErrorCode::internal, "the database session is in use",
                 "transaction in transaction");
  }
  DP_CHECK(writer.connection().begin(durability));
  return Transaction(writer);
}

Transaction::~Transaction() {
  if (writer_ != nullptr) writer_->connection().rollback();
}

Result<void> Transaction::commit() {
  Writer& writer = *std::exchange(writer_, nullptr);
  auto done = writer.commit();
  if (!done) writer.connection().rollback();
  return done;
}

Result<Snapshot> Snapshot::begin(Reader& reader) {
  Connection& connection = *reader.lease_;
  if (connection.in_transaction()) {
    return Error(ErrorCode::internal, "the database session is in use", "snapshot in transaction");
  }
  DP_CHECK(connection.begin_snapshot());
  return Snapshot(connection);
}

Snapshot::~Snapshot() {
  if (connection_ != nullptr) connection_->rollback();
}

Result<void> run_transaction(Database& database, const std::function<Result<void>(Writer&)>& work,
                             Durability durability) {
  DP_TRY(auto writer, database.write());
  for (int retry = 0;; ++retry) {
    auto done = attempt(writer, work, durability);
    const bool again = !done && writer.connection().fault() == Fault::transient;
    if (!again || retry + 1 == kTransactionAttempts) return done;
    pause_before_retry(retry);
  }
}

}  // namespace deeppool::sql
