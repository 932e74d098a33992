// The tables usage_records, token_usage_daily and spool_cursors, and what api_keys say of a
// key's use. Blocking: for the applier's thread and blocking pools. Safe on every thread.
// Invariant: a request's row, its share of the daily sums and of its key's quota_used, its ledger
// entries with all that they move, and the spool's cursor behind it are written in one transaction,
// and only once per request id.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "governance/usage/usage_row.h"
#include "sql/database.h"

namespace deeppool::governance {

// How far a loop's segments are applied: all before `segment`, and that one up to `position`
// (bytes).
struct SpoolCursor {
  int loop = 0;
  int64_t segment = 0;
  int64_t position = 0;
};

struct UsageTotals {
  int64_t requests = 0;
  int64_t prompt_tokens = 0;
  int64_t cached_tokens = 0;
  int64_t cache_write_tokens = 0;
  int64_t completion_tokens = 0;
  int64_t reasoning_tokens = 0;
  base::Money charged;
};

// Days are inclusive, as usage_day() counts them. No user: all of them (administration).
struct UsageFilter {
  std::optional<base::UserId> user;
  std::optional<base::ApiKeyId> key;
  std::string model;   // empty: all
  std::string source;  // "provider", "deepnode"; empty: all
  int64_t from_day = 0;
  int64_t to_day = 0;
};

enum class GroupBy { day, model, key, source, user };

// The group's own column is set, the others keep their defaults.
struct ConsumptionRow {
  int64_t day = 0;
  std::string model;
  base::ApiKeyId key;
  std::string source;
  base::UserId user;
  UsageTotals totals;
};

struct Page {
  int64_t number = 1;
  int64_t size = 20;  // at most kMaxExportPage
};

struct Consumption {
  int64_t total = 0;  // groups in all pages
  std::vector<ConsumptionRow> rows;
};

class UsageStore {
 public:
  // `database` outlives the store; `instance` is the spool's.
  UsageStore(sql::Database& database, const base::RequestId& instance)
      : database_(database), instance_(instance.to_string()) {}

  // One transaction: rows not yet there, their sums, the cursors. Any Error: nothing was written;
  // `internal`, `conflict` and `invalid_request` mean that the rows themselves were refused.
  Result<void> apply(std::span<const UsageRow> rows, std::span<const SpoolCursor> cursors);
  // Whether it would store a row that nothing is wrong with; stores nothing.
  bool takes_rows();
  Result<std::vector<SpoolCursor>> cursors();
  // After it, what was applied survives a power cut.
  Result<void> make_durable();

  Result<UsageTotals> summary(const UsageFilter& filter);
  // Days newest first; all others by total tokens, largest first.
  Result<Consumption> consumption(const UsageFilter& filter, GroupBy group, Page page);

 private:
  // Whether some of the rows may be in the store already.
  enum class Known { none, some };
  Result<void> apply_once(std::span<const UsageRow> rows, std::span<const SpoolCursor> cursors,
                          Known known);
  Result<void> post(sql::Writer& tx, const std::vector<const UsageRow*>& rows);
  Result<void> insert(sql::Writer& tx, const std::vector<const UsageRow*>& rows);

  sql::Database& database_;
  const std::string instance_;
};

}  // namespace deeppool::governance
