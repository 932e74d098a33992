#include "sql/migrator/migrator.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <utility>

#include "base/crash_point.h"
#include "sql/migrator/schema.h"
#include "sql/migrator/schema_lease.h"

namespace deeppool::sql {
namespace {

constexpr const char* kJournal = "schema_migrations";

struct Pending {
  const Migration* migration;
  const Step* step;
  std::string where() const {
    return fmt::format("migration {} step {} ({})", migration->name, step->number, step->title);
  }
  Error error(ErrorCode code, const std::string& why, std::string detail = {}) const {
    Error e(code, where() + ": " + why, std::move(detail));
    e.param = fmt::format("{:03}", migration->version);
    return e;
  }
};

class Run {
 public:
  Run(Writer& writer, const std::vector<Migration>& migrations, const MigrateOptions& options)
      : writer_(writer),
        migrations_(migrations),
        options_(options),
        schema_(make_schema(writer.connection())) {}

  Result<MigrateOutcome> all() {
    DP_TRY(auto pending, read_pending());
    if (options_.mode == MigrateMode::dry_run) return preview(pending);
    if (pending.empty()) return MigrateOutcome{};
    DP_TRY(auto lease, SchemaLease::take(writer_, options_.wait));
    DP_CHECK(make_journal());
    DP_TRY(pending, read_pending());  // another process may have done it while we waited
    for (const Pending& next : pending) {
      DP_CHECK(lease.renew());
      DP_CHECK(apply(next, lease.epoch()));
    }
    return MigrateOutcome{static_cast<int>(pending.size())};
  }

 private:
  using Journal = std::map<std::pair<int, int>, std::string>;  // (version, step) -> checksum

  Result<void> make_journal() {
    const bool sqlite = writer_.engine() == Engine::sqlite;
    return writer_.connection().run_plain(
        sqlite ? "CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER NOT NULL, "
                 "step INTEGER NOT NULL, title TEXT NOT NULL, checksum TEXT NOT NULL, "
                 "applied_at INTEGER NOT NULL, PRIMARY KEY (version, step)) STRICT, WITHOUT ROWID"
               : "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT NOT NULL, "
                 "step BIGINT NOT NULL, title VARCHAR(255) NOT NULL, checksum CHAR(64) NOT NULL, "
                 "applied_at BIGINT NOT NULL, PRIMARY KEY (version, step)) "
                 "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin");
  }

  Result<Journal> read_journal() {
    Journal journal;
    DP_TRY(const bool exists, schema_->table_exists(kJournal));
    if (!exists) return journal;
    DP_TRY(const auto rows, (writer_.query<int, int, std::string>(
                                "SELECT version, step, checksum FROM schema_migrations")));
    for (const auto& [version, step, checksum] : rows) journal[{version, step}] = checksum;
    return journal;
  }

  Result<std::vector<Pending>> read_pending() {
    DP_TRY(const Journal journal, read_journal());
    DP_CHECK(refuse_newer(journal));
    std::vector<Pending> pending;
    for (const Migration& migration : migrations_) {
      for (const Step& step : migration.steps) {
        const Pending one{&migration, &step};
        const auto known = journal.find({migration.version, step.number});
        if (known == journal.end()) {
          pending.push_back(one);
        } else if (known->second != step.checksum) {
          return one.error(
              ErrorCode::unavailable,
              "was edited after it had been applied; put it back and add a new migration");
        }
      }
    }
    if (!pending.empty() && pending.front().migration->version < options_.from) {
      return pending.front().error(
          ErrorCode::invalid_request,
          "is not applied yet, so nothing later can be: run without --from");
    }
    return pending;
  }

  Result<void> refuse_newer(const Journal& journal) const {
    const int known = migrations_.empty() ? 0 : migrations_.back().version;
    const int found = journal.empty() ? 0 : journal.rbegin()->first.first;
    if (found <= known) return {};
    return Error(
        ErrorCode::unavailable,
        fmt::format("the database has schema {:03}, this program knows {:03} at most: it was "
                    "written by a newer DeepPool; install that version, or restore a backup",
                    found, known));
  }

  Result<MigrateOutcome> preview(const std::vector<Pending>& pending) {
    for (const Pending& next : pending) {
      options_.report("would run " + next.where() + ":\n" + next.step->statement + ";");
    }
    return MigrateOutcome{static_cast<int>(pending.size())};
  }

  Result<void> apply(const Pending& next, int64_t epoch) {
    DP_TRY(const bool done_already, examined(next));
    if (!done_already) {
      writer_.connection().clear_fault();
      if (auto ran = writer_.connection().run_plain(next.step->statement); !ran) {
        return next.error(ErrorCode::unavailable, "failed: " + ran.error().detail);
      }
      base::crash_point("migrate");
      DP_TRY(const bool done, schema_->in_place(next.step->probe));
      if (!done) return next.error(ErrorCode::internal, "ran, but its probe does not see it");
    }
    DP_CHECK(journal(next, epoch));
    base::crash_point("migrate");
    options_.report((done_already ? "found done " : "done ") + next.where());
    return {};
  }

  // True: done. An object of the same name but another definition is an error.
  Result<bool> examined(const Pending& next) {
    auto finding = schema_->examine(*next.step);
    if (!finding) {
      return next.error(finding.error().code, "cannot be probed", finding.error().detail);
    }
    if (finding->state == Finding::State::different) {
      return next.error(
          ErrorCode::unavailable,
          "finds an object of that name with another definition; " + finding->difference);
    }
    return finding->state == Finding::State::done;
  }

  Result<void> journal(const Pending& next, int64_t epoch) {
    DP_TRY(const Outcome written,
           writer_.execute(
               "INSERT INTO schema_migrations (version, step, title, checksum, applied_at) "
               "SELECT ?, ?, ?, ?, {now_ms} FROM leases WHERE name = 'schema' AND epoch = ?",
               next.migration->version, next.step->number, next.step->title, next.step->checksum,
               epoch));
    if (written.affected == 1) return {};
    return next.error(ErrorCode::unavailable, "another process took over the change of the schema");
  }

  Writer& writer_;
  const std::vector<Migration>& migrations_;
  const MigrateOptions& options_;
  std::unique_ptr<Schema> schema_;
};

}  // namespace

Result<MigrateOutcome> migrate(Database& database, const std::vector<Migration>& migrations,
                               const MigrateOptions& options) {
  DP_TRY(auto writer, database.write());
  return Run(writer, migrations, options).all();
}

Result<MigrateOutcome> migrate(Database& database, const MigrateOptions& options) {
  DP_TRY(const auto migrations, parse_migrations(database.engine(), embedded_migration_files()));
  return migrate(database, migrations, options);
}

}  // namespace deeppool::sql
