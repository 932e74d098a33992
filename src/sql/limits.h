// Every bound of the SQL layer, with its reason.
#pragma once

#include <chrono>
#include <cstddef>

#include "base/clock.h"

namespace deeppool::sql {

// How long a caller waits for a free connection before `unavailable`: longer than any honest
// statement, shorter than the patience of somebody in front of a console.
inline constexpr base::Duration kLeaseWait = std::chrono::seconds(5);
// How long SQLite waits for another process (an operator's shell) to finish its write.
inline constexpr std::chrono::milliseconds kSqliteBusyWait{1000};
// Attempts of one transaction that the engine rolled back for a deadlock, and the pause before the
// second one; the pause doubles and is drawn at random, so that two rivals do not meet again.
inline constexpr int kTransactionAttempts = 5;
inline constexpr std::chrono::milliseconds kFirstRetryPause{5};
// Prepared statements kept per connection. All texts are literals, so this is "all of them" in
// practice.
inline constexpr size_t kStatementsPerConnection = 512;
// A connection idle for longer is pinged before use: servers and firewalls drop silent ones.
inline constexpr base::Duration kPingAfterIdle = std::chrono::seconds(1);
// A statement that takes longer is logged (its text, never its values).
inline constexpr base::Duration kSlowStatement = std::chrono::milliseconds(500);
// Rows per statement of a bulk insert and values per IN list: beyond it a round trip no longer
// shows, and it stays far from the engines' limits (32,766 placeholders in SQLite, 65,535 in
// MySQL).
inline constexpr size_t kValuesPerStatement = 8192;
inline constexpr size_t kRowsPerStatement = 256;
// Columns of a row of a bulk insert: our widest table has 35.
inline constexpr size_t kMaxGivenColumns = 64;
// How long a migrator holds the schema without renewing: longer than any one step of ours, short
// enough to wait for when the machine that held it is gone. Polled by those who wait.
inline constexpr std::chrono::milliseconds kSchemaLease{60'000};
inline constexpr std::chrono::milliseconds kSchemaLeasePoll{200};
// The SQLite readers; writes have one connection of their own.
inline constexpr size_t kSqliteReaders = 4;
// MySQL connections per process: 10 instances stay far below the server's default of 151.
inline constexpr size_t kMysqlReaders = 6;
inline constexpr size_t kMysqlWriters = 4;

}  // namespace deeppool::sql
