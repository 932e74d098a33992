#include "sql/connection.h"

#include "base/log.h"
#include "sql/limits.h"

namespace deeppool::sql {

Result<Statement*> Connection::prepared(std::string_view text, Repeat repeat) {
  std::string key(text);
  if (repeat.count != 0) key += '\n' + std::to_string(repeat.count);
  const auto known = statements_.find(key);
  if (known != statements_.end()) return known->second.get();
  if (statements_.size() >= kStatementsPerConnection) statements_.clear();
  DP_TRY(auto statement, prepare(expand(engine(), text, repeat)));
  return statements_.emplace(std::move(key), std::move(statement)).first->second.get();
}

Result<void> Connection::begin(Durability durability) {
  clear_fault();
  DP_CHECK(set_durability(durability));
  DP_CHECK(run_plain(engine() == Engine::sqlite ? "BEGIN IMMEDIATE" : "START TRANSACTION"));
  in_transaction_ = true;
  return {};
}

Result<void> Connection::begin_snapshot() {
  clear_fault();
  if (engine() == Engine::sqlite) {
    DP_CHECK(run_plain("BEGIN"));
  } else {
    // For the next transaction alone.
    DP_CHECK(run_plain("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"));
    DP_CHECK(run_plain("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"));
  }
  in_transaction_ = true;
  return {};
}

Result<void> Connection::commit() {
  DP_CHECK(run_plain("COMMIT"));
  in_transaction_ = false;
  // For statements that commit by themselves; what is committed stays so, whatever comes of this.
  (void)set_durability(Durability::at_commit);
  return {};
}

void Connection::rollback() noexcept {
  if (!in_transaction_) return;
  in_transaction_ = false;
  if (fault_ == Fault::lost) return;
  const Fault before = fault_;
  // SQLite rolls back by itself on some errors and then refuses the second time: that is no fault.
  const auto done = run_plain("ROLLBACK");
  if (fault_ != Fault::lost) fault_ = before;
  if (!done && engine() == Engine::mysql) {
    log::warn("rollback failed", {{"detail", done.error().detail}});
    fault_ = Fault::lost;
  }
}

}  // namespace deeppool::sql
