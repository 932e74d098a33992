// Reader and Writer: a leased connection as stores use it. Typed arguments in, typed rows out:
//   DP_TRY(auto reader, database.read());
//   DP_TRY(auto users, reader.query<UserId, std::string>("SELECT id, username FROM users WHERE role
//   = ?", role)); for (const auto& [id, name] : users) ...
// Used by one thread at a time (a blocking pool's, never an event loop's) and given back when
// destroyed. Errors: conflict (duplicate key, `param` is the column; or a foreign key), unavailable
// (busy, full disk, read-only, server gone), internal (anything else: a bug, its detail for the
// log).
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "sql/limits.h"
#include "sql/pool.h"
#include "sql/row.h"
#include "sql/text.h"

namespace deeppool::sql {

class Snapshot;

// Hears what each statement and commit took, on the thread that waited for it.
using Observer = std::function<void(base::Duration)>;

class Reader {
 public:
  // The observer, which may be empty, outlives this.
  Reader(Lease lease, const Observer& observer) : lease_(std::move(lease)), observer_(&observer) {}

  // All rows; more than one column type gives tuples, a type with `static T from_row(const Row&)`
  // itself.
  template <class... Columns, class... Args>
  Result<std::vector<RowAs<Columns...>>> query(Sql<sizeof...(Args)> text, const Args&... args) {
    std::vector<RowAs<Columns...>> rows;
    DP_CHECK(each({text.text(), {}}, values(args...),
                  [&](const Row& row) { rows.push_back(read_row<Columns...>(row)); }));
    return rows;
  }

  // The row, or nothing. A second row is an internal error: the WHERE is not as unique as it was
  // meant.
  template <class... Columns, class... Args>
  Result<std::optional<RowAs<Columns...>>> query_one(Sql<sizeof...(Args)> text,
                                                     const Args&... args) {
    DP_TRY(auto rows, query<Columns...>(text, args...));
    if (rows.size() > 1) return unexpected_rows(text.text(), rows.size());
    if (rows.empty()) return std::optional<RowAs<Columns...>>();
    return std::optional<RowAs<Columns...>>(std::move(rows.front()));
  }

  // The row of a query that always has exactly one (COUNT, SUM).
  template <class... Columns, class... Args>
  Result<RowAs<Columns...>> query_value(Sql<sizeof...(Args)> text, const Args&... args) {
    DP_TRY(auto rows, query<Columns...>(text, args...));
    if (rows.size() != 1) return unexpected_rows(text.text(), rows.size());
    return std::move(rows.front());
  }

  // Calls visit(const Row&) for each row without collecting them. `visit` must not use this
  // session.
  template <class Visit, class... Args>
  Result<void> for_each(Visit&& visit, Sql<sizeof...(Args)> text, const Args&... args) {
    return each({text.text(), {}}, values(args...), std::ref(visit));
  }

  // Runs `... IN ({list})` for any number of values, in as many statements as it takes; no order
  // across them.
  template <class... Columns, class T>
  Result<std::vector<RowAs<Columns...>>> query_list(RepeatSql<0> text, std::span<const T> list) {
    std::vector<RowAs<Columns...>> rows;
    while (!list.empty()) {
      const size_t n = part_size(list.size(), kValuesPerStatement);
      std::vector<Value> arguments;
      for (const T& item : list.first(n)) arguments.push_back(to_value(item));
      DP_CHECK(each({text.text(), {n, 1}}, arguments,
                    [&](const Row& row) { rows.push_back(read_row<Columns...>(row)); }));
      list = list.subspan(n);
    }
    return rows;
  }

  Engine engine() const { return lease_->engine(); }

 protected:
  struct Text {
    std::string_view literal;
    Repeat repeat;
  };
  template <class... Args>
  static std::array<Value, sizeof...(Args)> values(const Args&... args) {
    return {to_value(args)...};
  }
  using Visit = std::function<void(const Row&)>;
  Result<void> each(Text text, std::span<const Value> arguments, const Visit& visit);
  Result<Outcome> run(Text text, std::span<const Value> arguments);
  // The largest power of two within both bounds: few different texts to prepare.
  static size_t part_size(size_t wanted, size_t limit);

  Lease lease_;
  const Observer* observer_;

 private:
  friend class Snapshot;
  Result<void> each_once(Text text, std::span<const Value> arguments, const Visit& visit);
  static Error unexpected_rows(std::string_view text, size_t count);
  bool reading_ = false;
};

class Writer : public Reader {
 public:
  using Reader::Reader;

  // Outside a Transaction each statement commits by itself.
  template <class... Args>
  Result<Outcome> execute(Sql<sizeof...(Args)> text, const Args&... args) {
    return run({text.text(), {}}, values(args...));
  }

  // An INSERT; false if a row with the same unique key is there already. In a transaction the
  // others stand.
  template <class... Args>
  Result<bool> insert_if_absent(Sql<sizeof...(Args)> text, const Args&... args) {
    auto done = execute(text, args...);
    if (done) return true;
    if (done.error().code == ErrorCode::conflict) return false;
    return std::move(done).error();
  }

  // `INSERT INTO t (a, b) {rows}` for any number of tuples, in as many statements as it takes.
  template <class... Columns>
  Result<void> insert_rows(RepeatSql<0> text, std::span<const std::tuple<Columns...>> rows) {
    constexpr size_t kWidth = sizeof...(Columns);
    static_assert(kWidth <= kMaxGivenColumns);
    std::vector<Value> values;
    while (!rows.empty()) {
      const size_t n =
          part_size(rows.size(), std::min(kRowsPerStatement, kValuesPerStatement / kWidth));
      values.clear();
      values.reserve(n * kWidth);
      for (const auto& row : rows.first(n)) {
        std::apply([&](const auto&... column) { (values.push_back(to_value(column)), ...); }, row);
      }
      DP_CHECK(run({text.text(), {n, kWidth}}, values));
      rows = rows.subspan(n);
    }
    return {};
  }

  // For Transaction and the migrator; stores have no use for these.
  Connection& connection() { return *lease_; }
  Result<void> commit();
};

}  // namespace deeppool::sql
