#include "sql/migrator/schema_lease.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "base/text.h"

namespace deeppool::sql {
namespace {

std::string host_name() {
  char name[64] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

std::string own_name() {
  return host_name() + "/" + std::to_string(getpid());
}

// True only if `holder` was a process of this machine and is no more.
bool has_died(const std::string& holder) {
  const size_t slash = holder.rfind('/');
  if (slash == std::string::npos || holder.substr(0, slash) != host_name()) return false;
  const auto pid = base::parse_int<pid_t>(std::string_view(holder).substr(slash + 1));
  return pid && kill(*pid, 0) != 0 && errno == ESRCH;
}

Result<void> make_table(Writer& writer) {
  const bool sqlite = writer.engine() == Engine::sqlite;
  DP_CHECK(writer.connection().run_plain(
      sqlite ? "CREATE TABLE IF NOT EXISTS leases (name TEXT NOT NULL PRIMARY KEY, holder TEXT NOT "
               "NULL, "
               "epoch INTEGER NOT NULL, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID"
             : "CREATE TABLE IF NOT EXISTS leases (name VARCHAR(128) NOT NULL PRIMARY KEY, "
               "holder VARCHAR(128) NOT NULL, epoch BIGINT NOT NULL, expires_at BIGINT NOT NULL) "
               "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"));
  DP_CHECK(writer.insert_if_absent(
      "INSERT INTO leases (name, holder, epoch, expires_at) VALUES ('schema', '', 0, 0)"));
  return {};
}

struct Holder {
  std::string name;
  int64_t epoch = 0;
  int64_t expires_at = 0;
  int64_t now = 0;
  static Holder from_row(const Row& row) {
    Holder out;
    row.into(out.name, out.epoch, out.expires_at, out.now);
    return out;
  }
};

}  // namespace

Result<SchemaLease> SchemaLease::take(Writer& writer, base::Duration wait) {
  DP_CHECK(make_table(writer));
  const int64_t ms = kSchemaLease.count();
  const base::Instant until = base::SystemClock().now() + wait;
  while (true) {
    DP_TRY(const Holder holder,
           writer.query_value<Holder>(
               "SELECT holder, epoch, expires_at, {now_ms} FROM leases WHERE name = 'schema'"));
    if (holder.expires_at <= holder.now || has_died(holder.name)) {
      DP_TRY(const Outcome taken,
             writer.execute(
                 "UPDATE leases SET holder = ?, epoch = epoch + 1, expires_at = {now_ms} + ? "
                 "WHERE name = 'schema' AND epoch = ?",
                 own_name(), ms, holder.epoch));
      if (taken.affected == 1) return SchemaLease(writer, holder.epoch + 1);
    }
    if (base::SystemClock().now() >= until) {
      return Error(
          ErrorCode::unavailable,
          "another process (" + holder.name + ") is changing the database schema; try again later");
    }
    // tidy: allow sleep: at the start of a program, which has nothing else to do meanwhile
    std::this_thread::sleep_for(kSchemaLeasePoll);
  }
}

Result<void> SchemaLease::renew() {
  DP_TRY(const Outcome done,
         writer_->execute(
             "UPDATE leases SET expires_at = {now_ms} + ? WHERE name = 'schema' AND epoch = ?",
             kSchemaLease.count(), epoch_));
  if (done.affected == 1) return {};
  return Error(ErrorCode::unavailable,
               "another process took over the change of the database schema");
}

SchemaLease::~SchemaLease() {
  if (writer_ == nullptr) return;
  // If this fails the lease simply runs out.
  [[maybe_unused]] const auto done = writer_->execute(
      "UPDATE leases SET expires_at = 0 WHERE name = 'schema' AND epoch = ?", epoch_);
}

}  // namespace deeppool::sql
