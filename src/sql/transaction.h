// Transactions. run_transaction is what stores use: it repeats work that lost against a rival.
//   DP_TRY(const int64_t id, run_transaction(database, [&](Writer& tx) -> Result<int64_t> { ...
//   }));
// SQLite takes the write lock at the start (BEGIN IMMEDIATE), MySQL runs READ COMMITTED: read what
// you then change with {for_update}, and lock rows in the order of their ids. The function may run
// more than once.
#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <utility>

#include "sql/database.h"

namespace deeppool::sql {

// Rolled back when it goes out of scope without commit(). One at a time per writer.
class Transaction {
 public:
  static Result<Transaction> begin(Writer& writer, Durability durability = Durability::at_commit);
  Transaction(Transaction&& other) noexcept : writer_(std::exchange(other.writer_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  // After an error nothing is known to be stored, except when the server was lost in this very
  // call.
  Result<void> commit();

 private:
  explicit Transaction(Writer& writer) : writer_(&writer) {}
  Writer* writer_;
};

// While it lives, all that its reader reads is one state of the database, whatever others commit.
// One at a time per reader, which outlives it.
class Snapshot {
 public:
  static Result<Snapshot> begin(Reader& reader);
  Snapshot(Snapshot&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  Snapshot& operator=(Snapshot&&) = delete;
  ~Snapshot();

 private:
  explicit Snapshot(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
};

// Begins, runs `work`, commits. An Error from `work` rolls back and is returned; a deadlock or a
// busy database is tried again, kTransactionAttempts times in all, then `unavailable`.
Result<void> run_transaction(Database& database, const std::function<Result<void>(Writer&)>& work,
                             Durability durability = Durability::at_commit);

template <std::invocable<Writer&> Work>
  requires(!std::same_as<std::invoke_result_t<Work, Writer&>, Result<void>>)
std::invoke_result_t<Work, Writer&> run_transaction(Database& database, Work&& work) {
  std::optional<std::invoke_result_t<Work, Writer&>> result;
  const std::function<Result<void>(Writer&)> once = [&](Writer& writer) -> Result<void> {
    result.emplace(work(writer));
    if (!*result) return Error(result->error());
    return {};
  };
  DP_CHECK(run_transaction(database, once));
  return std::move(*result);
}

}  // namespace deeppool::sql
