// The simulator's side of the SQL layer: real SQLite connections behind connectors that lose the
// server when told to, and whose database clock is the simulated one. One Shelf per simulated
// database, one Faults and Connector per process that uses it. Single thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "sql/connection.h"

namespace deeppool::simulation {

// What befalls the next COMMIT: nothing; the server is lost before it, or after it.
enum class CommitFate : uint8_t { told, lost_before, lost_after };

struct Faults {
  bool away = false;        // no connection, and those that are there are dead
  int64_t lost_after = -1;  // statements until the server is lost; below 0: never
  CommitFate commit = CommitFate::told;
  std::function<void()> on_begin;  // of each writing transaction; may set the above
};

// Connections are opened once and used again: opening costs more than a whole request.
class Shelf {
 public:
  explicit Shelf(std::string file) : file_(std::move(file)) {}
  Result<std::unique_ptr<sql::Connection>> take(sql::Access access);
  void put_back(sql::Access access, std::unique_ptr<sql::Connection> connection);

 private:
  std::vector<std::unique_ptr<sql::Connection>>& side(sql::Access access) {
    return access == sql::Access::write ? writers_ : readers_;
  }
  const std::string file_;
  std::vector<std::unique_ptr<sql::Connection>> writers_;
  std::vector<std::unique_ptr<sql::Connection>> readers_;
};

class Connector final : public sql::Connector {
 public:
  // `said` is what the database is taken for: as mysql, SQLite serves several instances, which
  // share their leases. All arguments outlive it.
  Connector(Shelf& shelf, Faults& faults, const base::Clock& clock, sql::Engine said)
      : shelf_(shelf), faults_(faults), clock_(clock), said_(said) {}
  sql::Engine engine() const override { return said_; }
  Result<std::unique_ptr<sql::Connection>> connect(sql::Access access) override;

 private:
  Shelf& shelf_;
  Faults& faults_;
  const base::Clock& clock_;
  const sql::Engine said_;
};

}  // namespace deeppool::simulation
