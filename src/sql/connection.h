// What an engine implements: one connection with its prepared statements. Callers of the layer see
// Reader and Writer (session.h) instead. A connection is used by one thread at a time, the one that
// holds its lease. Invariant: after an Error, fault() tells whether the same work may be tried
// again and whether the link is gone.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
#include "sql/dialect.h"
#include "sql/value.h"

namespace deeppool::sql {

struct Outcome {
  int64_t affected =
      0;  // rows that matched, changed or not; after an upsert only "0 or more" is portable
  int64_t last_insert_id = 0;
};

enum class Fault {
  none,       // the statement or its values are at fault, if anything
  transient,  // the engine rolled back or refused for a rival's sake: the whole transaction may run
              // again
  lost,       // the connection is dead
};

// Whether a commit that succeeded survives a power cut: at once (what somebody is told has
// happened), or after a checkpoint (make_durable), where somebody else can repeat it. Servers
// decide by their own settings.
enum class Durability { at_commit, later };

// A prepared statement. run() starts it; a statement with columns is then read by next() until
// false or until close(). Values returned by column() live until the next call.
class Statement {
 public:
  virtual ~Statement() = default;
  virtual Result<Outcome> run(std::span<const Value> arguments) = 0;
  // The same for a text with {rows}, of `width` values each.
  virtual Result<Outcome> run_rows(std::span<const Value> values, size_t width) = 0;
  virtual size_t columns() const = 0;
  virtual Result<bool> next() = 0;
  virtual Value column(size_t index) const = 0;
  // Frees the result; harmless when there is none.
  virtual void close() = 0;
};

class Connection {
 public:
  virtual ~Connection() = default;
  virtual Engine engine() const = 0;
  // One statement without arguments or rows, not cached: BEGIN, DDL of the migrator.
  virtual Result<void> run_plain(const std::string& text) = 0;
  virtual bool alive() = 0;
  // After it, what was committed survives a power cut. unavailable: readers hold it back for now.
  virtual Result<void> make_durable() = 0;

  // The statement for a text (dialect fragments expanded), prepared on first use.
  Result<Statement*> prepared(std::string_view text, Repeat repeat = {});

  Result<void> begin(Durability durability = Durability::at_commit);
  // A transaction that reads one state and changes nothing.
  Result<void> begin_snapshot();
  Result<void> commit();
  void rollback() noexcept;  // after it, the connection is usable or its fault is `lost`

  bool in_transaction() const { return in_transaction_; }
  Fault fault() const { return fault_; }
  void clear_fault() { fault_ = Fault::none; }

 protected:
  virtual Result<void> set_durability(Durability) { return {}; }
  virtual Result<std::unique_ptr<Statement>> prepare(const std::string& text) = 0;
  // Statements must go before the engine's handle does.
  void drop_statements() { statements_.clear(); }

  Fault fault_ = Fault::none;

 private:
  std::unordered_map<std::string, std::unique_ptr<Statement>> statements_;
  bool in_transaction_ = false;
};

enum class Access {
  read,
  write,
  inspect,  // read, beside a process that owns the data directory
};

// Makes connections to one database; owns what must live as long as it does (the lock of a data
// directory).
class Connector {
 public:
  virtual ~Connector() = default;
  virtual Engine engine() const = 0;
  virtual Result<std::unique_ptr<Connection>> connect(Access access) = 0;
};

}  // namespace deeppool::sql
